using Eddy.Files;
using Eddy.Packages;
using Eddy.People;
using Eddy.Secrets;
using Eddy.Tenants;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Postgres;

/// <summary>
/// The store of what people edit. One is opened for one tenant (<see cref="EddyDbs"/>): row-level security and a filter on every
/// query hold it there. The hot path (arrivals, pump, log) is plain Npgsql.
/// </summary>
public sealed class EddyDb(DbContextOptions<EddyDb> options) : IdentityUserContext<Person, Guid>(options), IDataProtectionKeyContext
{
    /// <summary>The tenant whose rows this context sees, or null for what is global: people and the keys that protect cookies.</summary>
    public TenantId? Tenant { get; init; }

    private Guid TenantValue => Tenant?.Value ?? Guid.Empty;

    public DbSet<Tenant> Tenants => Set<Tenant>();

    public DbSet<Member> Members => Set<Member>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<TenantFile> Files => Set<TenantFile>();

    public DbSet<FileVersion> FileVersions => Set<FileVersion>();

    public DbSet<PackageFile> PackageFiles => Set<PackageFile>();

    public DbSet<Secret> Secrets => Set<Secret>();

    public DbSet<SecretChange> SecretChanges => Set<SecretChange>();

    public DbSet<TenantKey> TenantKeys => Set<TenantKey>();

    public DbSet<Session> Sessions => Set<Session>();

    public DbSet<MailLink> MailLinks => Set<MailLink>();

    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    // Identity asks the application's services for the version of its schema, and nothing else of them.
    private static readonly ServiceProvider IdentitySchema = new ServiceCollection()
        .Configure<IdentityOptions>(options => options.Stores.SchemaVersion = IdentitySchemaVersions.Version3)
        .BuildServiceProvider();

    /// <summary>What every way of opening it has in common.</summary>
    public static DbContextOptionsBuilder<EddyDb> Options() =>
        new DbContextOptionsBuilder<EddyDb>().UseSnakeCaseNamingConvention().UseApplicationServiceProvider(IdentitySchema);

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.Entity<Person>().ToTable("people", table => table.HasCheckConstraint("people_name", "char_length(name) between 1 and 80"));
        builder.Entity<IdentityUserClaim<Guid>>().ToTable("people_claims");
        builder.Entity<IdentityUserLogin<Guid>>().ToTable("people_logins");
        builder.Entity<IdentityUserToken<Guid>>().ToTable("people_tokens");
        builder.Entity<IdentityUserPasskey<Guid>>().ToTable("people_passkeys");

        builder.Entity<Session>(session =>
        {
            session.ToTable("people_sessions");
            session.HasKey(s => s.Id);
            session.HasIndex(s => s.PersonId);
            session.HasOne<Person>().WithMany().HasForeignKey(s => s.PersonId).OnDelete(DeleteBehavior.Cascade);
        });
        builder.Entity<MailLink>(link =>
        {
            link.ToTable("people_links", table => table.HasCheckConstraint("people_links_purpose", "purpose in ('sign-up', 'reset', 'address', 'invitation')"));
            link.HasKey(l => l.Hash);
            link.HasIndex(l => l.Address);
            link.HasIndex(l => l.TenantId);
            link.Property(l => l.Wish).HasColumnType("jsonb");
            link.HasOne<Person>().WithMany().HasForeignKey(l => l.PersonId).OnDelete(DeleteBehavior.Cascade);
        });

        builder.Entity<Tenant>(tenant =>
        {
            tenant.ToTable("tenants", table => table.HasCheckConstraint("tenants_tree_version", "tree_version >= 0"));
            tenant.HasKey(t => t.Id);
            tenant.HasIndex(t => t.Slug).IsUnique();
            tenant.HasQueryFilter(t => t.Id == TenantValue);
        });
        builder.Entity<Member>(member =>
        {
            member.ToTable("members", table => table.HasCheckConstraint("members_role", "role in ('owner', 'editor', 'viewer')"));
            member.HasKey(m => new { m.TenantId, m.PersonId });
            member.HasQueryFilter(m => m.TenantId == TenantValue);
        });
        builder.Entity<ApiKey>(key =>
        {
            key.ToTable("api_keys", table => table.HasCheckConstraint("api_keys_scopes", "scopes <@ array['ingest', 'read', 'write'] and cardinality(scopes) > 0"));
            key.HasKey(k => new { k.TenantId, k.Id });
            // Unique, so that PostgreSQL knows without statistics that it finds one row by it.
            key.HasIndex(k => k.Hash).IsUnique();
            key.HasIndex(k => new { k.TenantId, k.Name }).IsUnique().HasFilter("revoked_at is null");
            key.HasQueryFilter(k => k.TenantId == TenantValue);
        });
        builder.Entity<TenantFile>(file =>
        {
            file.ToTable("files");
            file.HasKey(f => new { f.TenantId, f.Path });
            file.Property(f => f.Faults).HasColumnType("jsonb");
            file.Property(f => f.Findings).HasColumnType("jsonb");
            file.Property(f => f.Rules).HasColumnType("jsonb");
            file.HasQueryFilter(f => f.TenantId == TenantValue);
        });
        builder.Entity<FileVersion>(version =>
        {
            version.ToTable("file_versions");
            version.HasKey(v => new { v.TenantId, v.Path, v.Version });
            version.Property(v => v.Faults).HasColumnType("jsonb");
            version.HasQueryFilter(v => v.TenantId == TenantValue);
        });
        builder.Entity<PackageFile>(file =>
        {
            file.ToTable("package_files");
            file.HasKey(f => new { f.TenantId, f.Path });
            file.HasQueryFilter(f => f.TenantId == TenantValue);
        });
        builder.Entity<Secret>(secret =>
        {
            secret.ToTable("secrets", table => table.HasCheckConstraint("secrets_hosts", "cardinality(hosts) > 0"));
            secret.HasKey(s => new { s.TenantId, s.Name });
            secret.HasQueryFilter(s => s.TenantId == TenantValue);
        });
        builder.Entity<SecretChange>(change =>
        {
            change.ToTable("secret_changes");
            change.HasKey(c => new { c.TenantId, c.Version });
            change.HasQueryFilter(c => c.TenantId == TenantValue);
        });
        builder.Entity<TenantKey>(key =>
        {
            key.ToTable("tenant_keys");
            key.HasKey(k => k.TenantId);
            key.HasQueryFilter(k => k.TenantId == TenantValue);
        });
        builder.Entity<DataProtectionKey>().ToTable("data_protection_keys");
    }
}
