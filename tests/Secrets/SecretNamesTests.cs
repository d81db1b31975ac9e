namespace Eddy.Tests.Secrets;

/// <summary><c>secrets</c>, <c>sign</c> and <c>verify</c> as tenants' Python has them, in the interpreter of the cells.</summary>
public sealed class SecretNamesTests
{
    [Fact]
    public async Task Names_are_placeholders_and_the_standard_module_is_still_there()
    {
        await PythonAsync("""
            A = "eddysecret_" + "0" * 32
            secret_names.told({"STRIPE": A})
            assert secrets.STRIPE == A and secrets["STRIPE"] == A and type(secrets.STRIPE) is str
            assert "STRIPE" in secrets and "OTHER" not in secrets and list(secrets) == ["STRIPE"]
            assert len(secrets.token_hex(4)) == 8 and secrets.compare_digest("a", "a") and secrets.choice([7]) == 7
            import secrets as standard
            assert standard.token_urlsafe is secrets.token_urlsafe and not hasattr(standard, "STRIPE")
            assert repr(secrets) == "<secrets: STRIPE>" and f"{secrets.STRIPE}" == A and "STRIPE" in dir(secrets)

            told = fails(AttributeError, lambda: secrets.OTHER)
            assert "'OTHER'" in told and "PUT /api/secrets/OTHER" in told and "There are: STRIPE" in told, told
            assert "PUT" in fails(AttributeError, lambda: setattr(secrets, "STRIPE", "x"))
            import copy, pickle
            assert not hasattr(secrets, "__reference__") and not hasattr(secrets, "base64")

            secret_names.told({})
            assert "none" in fails(AttributeError, lambda: secrets.STRIPE) and repr(secrets) == "<secrets: none>"
            """);
    }

    [Fact]
    public async Task The_host_is_asked_to_sign_with_the_placeholder_and_the_bytes()
    {
        await PythonAsync("""
            import hashlib, hmac
            A = "eddysecret_" + "1" * 32
            secret_names.told({"HOOK": A})
            assert "in a run" in fails(RuntimeError, lambda: secret_names.sign(secrets.HOOK, "x"))
            asked = []
            def host(placeholder, algorithm, data):
                asked.append((placeholder, algorithm, data))
                return hmac.new(b"value", data, algorithm).digest()
            secret_names.ask_sign = host
            sign, verify = secret_names.sign, secret_names.verify

            right = hmac.new(b"value", "däta".encode(), "sha256").hexdigest()
            assert sign(secrets.HOOK, "däta") == sign("HOOK", bytearray("däta".encode())) == right
            assert sign("HOOK", b"", "sha1") == hmac.new(b"value", b"", "sha1").hexdigest()
            assert asked == [(A, "sha256", "däta".encode())] * 2 + [(A, "sha1", b"")]

            assert verify("HOOK", "däta", right) and verify("HOOK", "däta", "sha256=" + right.upper()) and verify("HOOK", "däta", right.encode())
            assert not verify("HOOK", "data", right) and not verify("HOOK", "däta", None) and not verify("HOOK", "däta", "") and not verify("HOOK", "däta", "sha1=" + right)

            assert "'NOBODY'" in fails(ValueError, lambda: sign("NOBODY", "x"))
            assert "int" in fails(ValueError, lambda: sign(7, "x"))
            assert "md5" in fails(ValueError, lambda: sign("HOOK", "x", "md5"))
            assert "dict" in fails(TypeError, lambda: sign("HOOK", {}))
            """);
    }

    private static async Task PythonAsync(string text)
    {
        var (code, output) = await Sandbox.ZygoteService.PythonAsync($"""
            import sys, traceback
            sys.path.insert(0, ".")
            import secret_names
            from secret_names import secrets

            def fails(kind, act):
                try:
                    act()
                except kind as error:
                    return str(error)
                raise AssertionError("nothing was raised")

            try:
            {string.Join('\n', text.Split('\n').Select(line => "    " + line))}
            except BaseException:
                print(traceback.format_exc())
                sys.exit(1)
            """);

        code.ShouldBe(0, output);
    }
}
