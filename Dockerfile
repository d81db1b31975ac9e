# One image per process: web, worker, migrate (the operator's command line), sandbox (tenants' Python).
#   docker build --target web -t eddy-web .
# scripts/check-images performs these steps without a container engine.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY Directory.Build.props Directory.Packages.props global.json .editorconfig ./
COPY shared/Eddy.Shared.csproj shared/packages.lock.json shared/
COPY web/Eddy.Web.csproj web/packages.lock.json web/
COPY worker/Eddy.Worker.csproj worker/packages.lock.json worker/
COPY migrations/Eddy.Migrations.csproj migrations/packages.lock.json migrations/
RUN dotnet restore web/Eddy.Web.csproj --locked-mode
RUN dotnet restore worker/Eddy.Worker.csproj --locked-mode
RUN dotnet restore migrations/Eddy.Migrations.csproj --locked-mode
COPY shared/ shared/
COPY web/ web/
COPY worker/ worker/
COPY migrations/ migrations/
COPY samples/ samples/
COPY docs/problems.md docs/rules.md docs/tests.md docs/
RUN dotnet publish web/Eddy.Web.csproj -c Release --no-restore -o /out/web
RUN dotnet publish worker/Eddy.Worker.csproj -c Release --no-restore -o /out/worker
RUN dotnet publish migrations/Eddy.Migrations.csproj -c Release --no-restore -o /out/migrations

# The aspnet image has the user app (1654) and no Python: web and worker reach the sandbox by its socket alone.
FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS host
RUN install -d -o 1654 -g 1654 -m 0700 /run/eddy
ENV ASPNETCORE_ENVIRONMENT=Production \
    ASPNETCORE_URLS=http://+:8080 \
    # Where a virtual machine does not tell the size of its caches, .NET collects garbage after each 256 KiB.
    DOTNET_GCgen0size=0x4000000 \
    Sandbox__Socket=/run/eddy/zygote.sock
WORKDIR /app
EXPOSE 8080
USER 1654
HEALTHCHECK --interval=5s --timeout=6s --start-period=60s --retries=3 CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 5 _ code _ <&3 && [ \"$code\" = 200 ]"]

FROM host AS web
USER root
# Each tenant's files are a git remote. The repositories are made of what the database has.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 1654 -g 1654 -m 0700 /var/cache/eddy
ENV Git__Folder=/var/cache/eddy
USER 1654
COPY --from=build /out/web/ ./
# A thread that is woken does not push out the one that woke it: .NET's would go to sleep again at once, on a lock that the other still holds.
ENTRYPOINT ["chrt", "--batch", "0", "dotnet", "Eddy.Web.dll"]

FROM host AS worker
COPY --from=build /out/worker/ ./
ENTRYPOINT ["chrt", "--batch", "0", "dotnet", "Eddy.Worker.dll"]

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS migrate
WORKDIR /app
COPY --from=build /out/migrations/ ./
USER 1654
ENTRYPOINT ["dotnet", "Eddy.Migrations.dll"]
CMD ["migrate"]

# No .NET, no credentials, no network: only what cells are made of. The same user as the hosts, for the socket is its own.
FROM debian:12-slim AS sandbox
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 tzdata \
        # What rules can import without asking, and what resolves requirements.txt.
        python3-requests python3-httplib2 python3-dateutil python3-tz python3-yaml python3-jinja2 python3-markdown python3-bs4 \
        python3-passlib python3-croniter python3-packaging python3-resolvelib \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 1654 -g 1654 -m 0700 /run/eddy
COPY shared/Sandbox/guest/ /opt/eddy/guest/
WORKDIR /opt/eddy/guest
USER 1654
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/test", "-S", "/run/eddy/zygote.sock"]
ENTRYPOINT ["/usr/bin/python3", "-sSE", "-B", "zygote.py", "--listen", "/run/eddy/zygote.sock"]
