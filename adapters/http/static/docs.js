// Renders the OpenAPI document as a list of operations. Text is set as text, never as markup.
"use strict";

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  return made;
}

function schemaText(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(schemaText).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  return [].concat(schema.type || "any").join(" or ");
}

function parameters(operation) {
  const list = element("ul", "");
  for (const each of operation.parameters || []) {
    const text = `${each.name} (${each.in}): ${schemaText(each.schema)}. ${each.description || ""}`;
    list.append(element("li", text));
  }
  return list;
}

function responses(operation) {
  const list = element("ul", "");
  for (const [status, response] of Object.entries(operation.responses)) {
    list.append(element("li", `${status}: ${response.description}`));
  }
  return list;
}

function bodyOf(operation) {
  if (!operation.requestBody) return [];
  const content = Object.entries(operation.requestBody.content);
  return content.map(([type, media]) => element("p", `Body: ${type}, ${schemaText(media.schema)}`));
}

function rendered(method, path, operation) {
  const name = element("span", method.toUpperCase());
  name.className = "method";
  const summary = element("summary", "", name, element("code", path), ` ${operation.summary}`);
  return element("details", "", summary, ...bodyOf(operation), parameters(operation), responses(operation));
}

async function show() {
  const main = document.getElementById("operations");
  const openapi = await (await fetch("openapi.json")).json();
  for (const [path, operations] of Object.entries(openapi.paths)) {
    for (const [method, operation] of Object.entries(operations)) main.append(rendered(method, path, operation));
  }
  for (const [name, schema] of Object.entries(openapi.components.schemas)) {
    main.append(element("details", "", element("summary", name), element("pre", JSON.stringify(schema, null, 2))));
  }
}

show();
