namespace Eddy.Tests.Sandbox;

/// <summary>
/// The kernel's numbers of the calls that the seal names, as Linux 6.1 has them in <c>asm/unistd_64.h</c> (x86-64) and <c>asm-generic/unistd.h</c>
/// (arm64); and what the seal is to say of each. Written down apart from the guest, so that a slip there is seen here.
/// </summary>
internal static class KernelCalls
{
    /// <summary>Allowed whatever their arguments.</summary>
    public const string Allowed = """
        read write close poll ppoll munmap brk rt_sigaction rt_sigprocmask rt_sigreturn sched_yield mremap nanosleep getpid gettid
        shutdown getsockname getpeername exit exit_group gettimeofday getrusage getuid geteuid getgid getegid getppid sigaltstack time futex
        restart_syscall getrandom
        """;

    /// <summary>Allowed by their arguments.</summary>
    public const string Judged = "mmap mprotect madvise fcntl sendto recvfrom recvmsg clock_gettime clock_getres clock_nanosleep";

    /// <summary>The end of the cell.</summary>
    public const string Killed = """
        ptrace process_vm_readv process_vm_writev bpf userfaultfd perf_event_open io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key
        unshare setns mount umount2 pivot_root kexec_load kexec_file_load init_module finit_module delete_module name_to_handle_at open_by_handle_at
        memfd_secret modify_ldt personality pidfd_getfd pidfd_open pidfd_send_signal execveat move_pages mbind kcmp reboot swapon iopl ioperm seccomp
        arch_prctl
        """;

    private const string X64 = """
        read=0 write=1 close=3 poll=7 ppoll=271 munmap=11 brk=12 rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15 sched_yield=24 mremap=25 nanosleep=35
        clock_nanosleep=230 getpid=39 gettid=186 recvfrom=45 recvmsg=47 shutdown=48 getsockname=51 getpeername=52 exit=60 exit_group=231 gettimeofday=96
        getrusage=98 getuid=102 geteuid=107 getgid=104 getegid=108 getppid=110 sigaltstack=131 time=201 futex=202 restart_syscall=219 clock_gettime=228
        clock_getres=229 getrandom=318 mmap=9 mprotect=10 madvise=28 fcntl=72 sendto=44 clone3=435 ptrace=101 process_vm_readv=310 process_vm_writev=311
        bpf=321 userfaultfd=323 perf_event_open=298 io_uring_setup=425 io_uring_enter=426 io_uring_register=427 keyctl=250 add_key=248 request_key=249
        unshare=272 setns=308 mount=165 umount2=166 pivot_root=155 kexec_load=246 kexec_file_load=320 init_module=175 finit_module=313 delete_module=176
        name_to_handle_at=303 open_by_handle_at=304 memfd_secret=447 modify_ldt=154 personality=135 pidfd_getfd=438 pidfd_open=434 pidfd_send_signal=424
        execveat=322 move_pages=279 mbind=237 kcmp=312 reboot=169 swapon=167 iopl=172 ioperm=173 seccomp=317 arch_prctl=158
        """;

    private const string Arm64 = """
        read=63 write=64 close=57 ppoll=73 munmap=215 brk=214 rt_sigaction=134 rt_sigprocmask=135 rt_sigreturn=139 sched_yield=124 mremap=216 nanosleep=101
        clock_nanosleep=115 getpid=172 gettid=178 recvfrom=207 recvmsg=212 shutdown=210 getsockname=204 getpeername=205 exit=93 exit_group=94 gettimeofday=169
        getrusage=165 getuid=174 geteuid=175 getgid=176 getegid=177 getppid=173 sigaltstack=132 futex=98 restart_syscall=128 clock_gettime=113
        clock_getres=114 getrandom=278 mmap=222 mprotect=226 madvise=233 fcntl=25 sendto=206 clone3=435 ptrace=117 process_vm_readv=270 process_vm_writev=271
        bpf=280 userfaultfd=282 perf_event_open=241 io_uring_setup=425 io_uring_enter=426 io_uring_register=427 keyctl=219 add_key=217 request_key=218
        unshare=97 setns=268 mount=40 umount2=39 pivot_root=41 kexec_load=104 kexec_file_load=294 init_module=105 finit_module=273 delete_module=106
        name_to_handle_at=264 open_by_handle_at=265 memfd_secret=447 personality=92 pidfd_getfd=438 pidfd_open=434 pidfd_send_signal=424 execveat=281
        move_pages=239 mbind=235 kcmp=272 reboot=142 swapon=224 seccomp=277
        """;

    public static IReadOnlyDictionary<string, int> Of(string machine) =>
        Words(machine == "x86_64" ? X64 : Arm64).Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => int.Parse(pair[1]));

    public static string[] Words(string text) => text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
