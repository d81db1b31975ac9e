using System.Text.Json.Nodes;

namespace Eddy.Endpoints;

/// <summary>Describes a tenant's API scripts after OpenAPI 3.1, from their names, hints and docstrings. Pure.</summary>
public static class EndpointDescription
{
    public static string Of(string title, Uri origin, IEnumerable<EndpointInfo> endpoints)
    {
        var paths = new JsonObject();
        foreach (var endpoint in endpoints.OrderBy(one => one.Path, StringComparer.Ordinal))
        {
            // A function answers to every method; these two are how it is called.
            paths[endpoint.Path] = new JsonObject { ["get"] = Operation(endpoint, isPost: false), ["post"] = Operation(endpoint, isPost: true) };
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = title, ["version"] = "1" },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = origin.GetLeftPart(UriPartial.Authority) }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "An API key of the tenant: eddy_…" } },
                ["schemas"] = new JsonObject
                {
                    ["Problem"] = new JsonObject
                    {
                        ["type"] = "object",
                        ["properties"] = new JsonObject { ["type"] = Text(), ["title"] = Text(), ["status"] = new JsonObject { ["type"] = "integer" }, ["detail"] = Text() },
                    },
                },
            },
        }.ToJsonString();
    }

    private static JsonObject Operation(EndpointInfo endpoint, bool isPost)
    {
        var operation = new JsonObject
        {
            ["operationId"] = $"{endpoint.Module[4..].Replace('.', '_')}_{endpoint.Name}{(isPost ? "" : "_get")}",
            ["tags"] = new JsonArray(endpoint.Module[4..]),
        };
        if (endpoint.Documentation.Length > 0)
        {
            var end = endpoint.Documentation.IndexOf('\n', StringComparison.Ordinal);
            operation["summary"] = end < 0 ? endpoint.Documentation : endpoint.Documentation[..end];
            operation["description"] = endpoint.Documentation;
        }

        if (!isPost && endpoint.Parameters.Count > 0)
        {
            operation["parameters"] = new JsonArray([.. endpoint.Parameters.Select(one => new JsonObject { ["name"] = one.Name, ["in"] = "query", ["required"] = one.IsNeeded, ["schema"] = Schema(one.Hint) })]);
        }
        else if (isPost && endpoint.Parameters.Count > 0)
        {
            JsonObject Body() => new()
            {
                ["schema"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject(endpoint.Parameters.Select(one => new KeyValuePair<string, JsonNode?>(one.Name, Schema(one.Hint)))),
                    ["required"] = new JsonArray([.. endpoint.Parameters.Where(one => one.IsNeeded).Select(one => (JsonNode)one.Name)]),
                },
            };
            operation["requestBody"] = new JsonObject { ["content"] = new JsonObject { ["application/json"] = Body(), ["application/x-www-form-urlencoded"] = Body() } };
        }

        if (endpoint.Access.Contains("key:", StringComparison.Ordinal))
        {
            operation["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() });
        }

        var answer = new JsonObject { ["description"] = "What the function answers" };
        if (endpoint.Answer is not null and not "None")
        {
            answer["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Schema(endpoint.Answer) } };
        }

        var responses = new JsonObject { ["200"] = answer, ["500"] = Problem("The script failed") };
        if (endpoint.Parameters.Count > 0)
        {
            responses["400"] = Problem("A parameter is missing or wrong");
        }

        if (!endpoint.IsOpen)
        {
            (responses["401"], responses["403"]) = (Problem("Nobody has signed in, or there is no key"), Problem("Whoever calls may not"));
        }

        operation["responses"] = responses;
        return operation;
    }

    private static JsonObject Problem(string description) => new()
    {
        ["description"] = description,
        ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } } },
    };

    private static JsonObject Text() => new() { ["type"] = "string" };

    /// <summary>Hints that are not known say nothing.</summary>
    private static JsonObject Schema(string? hint) => hint switch
    {
        "int" => new() { ["type"] = "integer" },
        "float" => new() { ["type"] = "number" },
        "bool" => new() { ["type"] = "boolean" },
        "str" or "Decimal" or "decimal.Decimal" => Text(),
        "date" or "datetime.date" => new() { ["type"] = "string", ["format"] = "date" },
        "datetime" or "datetime.datetime" => new() { ["type"] = "string", ["format"] = "date-time" },
        "time" => new() { ["type"] = "string", ["format"] = "time" },
        _ when hint?.StartsWith("list", StringComparison.Ordinal) == true => new() { ["type"] = "array", ["items"] = new JsonObject() },
        _ when hint?.StartsWith("dict", StringComparison.Ordinal) == true => new() { ["type"] = "object" },
        _ => [],
    };
}
