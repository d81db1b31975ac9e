using System.Text.Json.Nodes;
using Eddy.Api;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Sandbox;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Eddy.Docs;

/// <summary>The description of the HTTP API (OpenAPI 3.1) and the page that shows it.</summary>
internal static class ApiDocs
{
    public static void AddApiDocs(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        services.AddOpenApi("v1", openApi =>
        {
            openApi.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            openApi.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "Eddy",
                    Version = "1",
                    Description = "Send events in, read what they did, and keep the rules that do it. Every answer that is no success is a problem (RFC 9457).",
                };
                document.Servers = [new OpenApiServer { Url = "/" }];
                PutBehindPath(document, FilesApi.CheckSuffix, HttpMethod.Post);
                document.Components ??= new OpenApiComponents();
                document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    ["key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key, as in eddy_…" },
                };
                return Task.CompletedTask;
            });
            openApi.AddOperationTransformer((operation, context, _) =>
            {
                var metadata = context.Description.ActionDescriptor.EndpointMetadata;
                if (metadata.OfType<ScopeRequired>().LastOrDefault() is { } required)
                {
                    operation.Description = $"{operation.Description}\n\nTakes a key{(required.Scope is { } scope ? $" with the scope `{scope}`" : ", whatever its scopes")}.".Trim();
                    if (!metadata.OfType<KeyInAddress>().Any())
                    {
                        operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("key", context.Document)] = [] }];
                    }
                }

                if (metadata.OfType<Example>().LastOrDefault() is { } example)
                {
                    Show(example.Request, operation.RequestBody?.Content?.Values);
                    Show(example.Answer, operation.Responses?.FirstOrDefault(pair => pair.Key.StartsWith('2')).Value?.Content?.Values);
                }

                foreach (var (status, response) in operation.Responses ?? [])
                {
                    response.Description = Meaning(status) ?? response.Description;
                }

                return Task.CompletedTask;
            });
        });
    }

    public static void MapApiDocs(this IEndpointRouteBuilder app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        var sandbox = app.ServiceProvider.GetRequiredService<SandboxOptions>();
        app.MapScalarApiReference("/docs/api", page => page
            .AddHeaderContent(sandbox.Unsealed ? $"<p role=\"alert\" style=\"margin:0;padding:8px 24px;background:#fde7e4;color:#b42318;font:500 13px/20px sans-serif\">{SandboxOptions.UnsealedWarning}</p>" : "")
            .WithTitle("Eddy: the HTTP API")
            .WithOpenApiRoutePattern("/openapi/v1.json")
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideDeveloperTools()
            .HideClientButton()
            .AddPreferredSecuritySchemes("key"));
        app.MapGet("/docs/problems", ProblemsPage.Show).ExcludeFromDescription();
    }

    /// <summary>A route has nothing behind what takes slashes, and tells the rest in a constraint that no document shows.</summary>
    private static void PutBehindPath(OpenApiDocument document, string suffix, HttpMethod method)
    {
        const string path = "/api/files/{path}";
        if (document.Paths.GetValueOrDefault(path)?.Operations is { } operations && operations.Remove(method, out var operation))
        {
            document.Paths.Add(path + suffix, new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [method] = operation } });
        }
    }

    private static void Show(string? example, IEnumerable<OpenApiMediaType>? types)
    {
        if (example is not null && types?.FirstOrDefault() is { } type)
        {
            type.Example = example[0] is '{' or '[' or '"' || char.IsDigit(example[0]) ? JsonNode.Parse(example) : JsonValue.Create(example);
        }
    }

    private static string? Meaning(string status) => status switch
    {
        "200" => "As asked.",
        "201" => "It is new.",
        "202" => "It is durable, and waits to be applied.",
        "204" => "Done; there is nothing to say.",
        "304" => "It is as you know it.",
        _ when int.TryParse(status, out var number) && ProblemType.All.Where(type => type.Status == number).Select(type => type.Title).ToList() is { Count: > 0 } titles =>
            string.Join(". ", titles) + ".",
        _ => null,
    };
}
