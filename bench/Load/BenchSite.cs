using System.Net.Http.Headers;
using System.Text;

namespace Eddy.Bench.Load;

/// <summary>A tenant with files of its own, and its host.</summary>
internal sealed record BenchSite(BenchTenant Tenant, string Host)
{
    /// <param name="shared">Shared KVPs; the values are JSON.</param>
    public static BenchSite Make(Stage stage, IReadOnlyList<(string Path, string Text)> files, IReadOnlyList<(string Key, string Value)> shared)
    {
        var tenant = stage.Tenants(1)[0];
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{stage.Port}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tenant.Key);
        foreach (var (path, text) in files)
        {
            Put($"/api/files/{path}", text, "text/plain", isNew: true);
        }

        foreach (var (key, value) in shared)
        {
            Put($"/api/shared/{key}", value, "application/json", isNew: false);
        }

        using var slug = stage.Db.Source.CreateCommand("select slug from tenants where id = $1");
        slug.Parameters.Add(new() { Value = tenant.Id });
        return new BenchSite(tenant, $"{(string)slug.ExecuteScalar()!}.localhost");

        void Put(string path, string body, string type, bool isNew)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(body, Encoding.UTF8, type) };
            request.Headers.TryAddWithoutValidation("If-None-Match", isNew ? "*" : null);
            using var answer = http.Send(request, stage.Cancel);
            if (!answer.IsSuccessStatusCode)
            {
                throw new BenchFault($"{path} was answered with {answer.StatusCode}.");
            }
        }
    }
}
