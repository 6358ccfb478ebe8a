/** The calls over a real HTTPS connection: what goes over the wire, and what is made of what comes back. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { apiOver, type Api, type WatchEvent } from "../../cluster/api.ts";
import { ApiError, isConflict, isGone, isNotFound } from "../../cluster/errors.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { connect, lazily } from "../../cluster/transport.ts";
import { claim, service } from "../support/builders.ts";
import { HttpsApi } from "../support/https-api.ts";

let server: HttpsApi;
let api: Api;
beforeEach(async () => {
  server = await HttpsApi.listen();
  vi.stubEnv("KUBECONFIG", server.kubeconfig);
  api = apiOver(await connect());
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const key = { namespace: "default", name: "web" };
const status = (code: number, reason: string, message: string): string =>
  JSON.stringify({ kind: "Status", code, reason, message });

describe("a call", () => {
  it.each<{ call: string; run: (api: Api) => Promise<unknown>; sends: string; type?: string; body?: unknown }>([
    { call: "list", run: (to) => to.list(kinds.services), sends: "GET /prefix/api/v1/services?limit=1000" },
    {
      call: "list of one namespace",
      run: (to) => to.list(kinds.leases, "metallb-system"),
      sends: "GET /prefix/apis/coordination.k8s.io/v1/namespaces/metallb-system/leases?limit=1000",
    },
    {
      call: "get",
      run: (to) => to.get(kinds.claims, { name: "fd00::1" }),
      sends: "GET /prefix/apis/networking.k8s.io/v1/ipaddresses/fd00::1",
    },
    {
      call: "create",
      run: (to) => to.create(kinds.claims, claim("10.0.0.1", "default/web")),
      sends: "POST /prefix/apis/networking.k8s.io/v1/ipaddresses",
      type: "application/json",
      body: claim("10.0.0.1", "default/web"),
    },
    {
      call: "create in a namespace",
      run: (to) => to.create(kinds.services, service("default/web")),
      sends: "POST /prefix/api/v1/namespaces/default/services",
      type: "application/json",
      body: service("default/web"),
    },
    {
      call: "merge",
      run: (to) => to.merge(kinds.services, key, { metadata: { labels: { a: "ü" } } }),
      sends: "PATCH /prefix/api/v1/namespaces/default/services/web?fieldManager=berth-operator",
      type: "application/merge-patch+json",
      body: { metadata: { labels: { a: "ü" } } },
    },
    {
      call: "merge of the status",
      run: (to) => to.merge(kinds.services, key, { status: {} }, "status"),
      sends: "PATCH /prefix/api/v1/namespaces/default/services/web/status?fieldManager=berth-operator",
      type: "application/merge-patch+json",
      body: { status: {} },
    },
    {
      call: "apply",
      run: (to) => to.apply(kinds.services, service("default/web"), { fieldManager: "me" }),
      sends: "PATCH /prefix/api/v1/namespaces/default/services/web?fieldManager=me&force=true",
      type: "application/apply-patch+yaml",
      body: service("default/web"),
    },
    {
      call: "remove",
      run: (to) => to.remove(kinds.claims, { name: "10.0.0.1" }, { uid: "u", resourceVersion: "7" }),
      sends: "DELETE /prefix/apis/networking.k8s.io/v1/ipaddresses/10.0.0.1",
      type: "application/json",
      body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: "u", resourceVersion: "7" } },
    },
  ])("$call is sent as the API server wants it", async ({ run, sends, type, body }) => {
    server.respond = (_, response) => response.end('{"items":[],"metadata":{"resourceVersion":"7"}}');
    await run(api);
    const [{ method, url, headers, body: text } = expect.fail()] = server.received;
    expect(`${method} ${url}`).toBe(sends);
    expect(headers).toMatchObject({ authorization: "Bearer secret", accept: "application/json" });
    expect(headers["content-type"]).toBe(type);
    expect(text === "" ? undefined : JSON.parse(text)).toEqual(body);
  });

  it("goes over the connection that the one before it has opened", async () => {
    for (const name of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
      await api.get(kinds.claims, { name });
      await api.create(kinds.claims, claim(name, "default/web"));
      await api.remove(kinds.claims, { name }, {});
    }
    expect(new Set(server.received.map(({ connection }) => connection)).size).toBe(1);
  });

  it("fails when the connection breaks off before the answer has ended", async () => {
    server.respond = (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{");
      setImmediate(() => response.destroy());
    };
    await expect(api.create(kinds.claims, claim("10.0.0.1", "default/web"))).rejects.toThrow(/aborted/);
  });

  it("for a list goes on page by page, and gives all of them with the revision that they have in common", async () => {
    const page = (names: readonly string[], metadata: object): string =>
      JSON.stringify({ items: names.map((name) => ({ metadata: { name } })), metadata });
    server.respond = ({ url }, response) =>
      response.end(
        url.endsWith("&continue=a%2Fb%3D")
          ? page(["c"], { resourceVersion: "7" })
          : page(["a", "b"], { resourceVersion: "7", continue: "a/b=" }),
      );
    const { items, resourceVersion } = await api.list(kinds.services);
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(["a", "b", "c"]);
    expect(resourceVersion).toBe("7");
    expect(server.received).toHaveLength(2);
  });

  it("for a list fails with 410 where the revision is too old before the last page", async () => {
    server.respond = ({ url }, response) =>
      url.includes("continue")
        ? response.writeHead(410).end(status(410, "Expired", "no"))
        : response.end('{"items":[],"metadata":{"resourceVersion":"7","continue":"x"}}');
    const error: unknown = await api.list(kinds.services).catch((thrown: unknown) => thrown);
    expect(isGone(error)).toBe(true);
  });

  it("fails when its connection is not secured within 10 s", async () => {
    // A server that takes connections and never says a word of TLS.
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const kubeconfig = readFileSync(server.kubeconfig, "utf8").replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${String(port)}`);
    const path = `${server.kubeconfig}-silent`;
    writeFileSync(path, kubeconfig);
    vi.stubEnv("KUBECONFIG", path);
    const lost = apiOver(await connect());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const connected = once(silent, "connection");
    const call = lost.get(kinds.claims, { name: "10.0.0.1" });
    const [socket] = (await connected) as [Socket];
    // The client hears of it a moment later.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(9_999);
    const refused = expect(call).rejects.toThrow("no connection within 10000 ms");
    vi.advanceTimersByTime(1);
    await refused;
    vi.useRealTimers();
    socket.destroy();
    silent.close();
  });

  it("connects only when it is made, so that the module loads without a cluster", async () => {
    vi.stubEnv("KUBECONFIG", "/nowhere");
    const lazy = apiOver(lazily());
    vi.stubEnv("KUBECONFIG", server.kubeconfig);
    await lazy.get(kinds.claims, { name: "10.0.0.1" });
    expect(server.received).toHaveLength(1);
  });
});

describe("what nobody reads of an object", () => {
  const lean = {
    metadata: { name: "web", resourceVersion: "8", labels: { a: "b" }, annotations: { c: "d" } },
    spec: {},
  };
  const bulky = {
    ...lean,
    metadata: {
      ...lean.metadata,
      annotations: { ...lean.metadata.annotations, "kubectl.kubernetes.io/last-applied-configuration": "{}" },
      managedFields: [{ manager: "kubectl", fieldsV1: { "f:spec": {} } }],
    },
  };
  const list = JSON.stringify({ items: [bulky], metadata: { resourceVersion: "8" } });
  const event = `${JSON.stringify({ type: "ADDED", object: bulky })}\n`;
  const watched = async (): Promise<unknown> => {
    const { signal } = new AbortController();
    for await (const { object } of api.watch(kinds.services, { resourceVersion: "7", signal })) return object;
    return undefined;
  };

  it.each<{ call: string; sent: string; run: () => Promise<unknown> }>([
    { call: "list", sent: list, run: async () => (await api.list(kinds.services)).items[0] },
    { call: "watch", sent: event, run: watched },
    { call: "get", sent: JSON.stringify(bulky), run: () => api.get(kinds.services, key) },
    { call: "create", sent: JSON.stringify(bulky), run: () => api.create(kinds.services, service("default/web")) },
    { call: "merge", sent: JSON.stringify(bulky), run: () => api.merge(kinds.services, key, {}) },
    {
      call: "apply",
      sent: JSON.stringify(bulky),
      run: () => api.apply(kinds.services, service("default/web"), { fieldManager: "me" }),
    },
  ])("is gone from what a $call gives", async ({ sent, run }) => {
    server.respond = (_, response) => response.end(sent);
    expect(JSON.parse(JSON.stringify(await run()))).toEqual(lean);
  });
});

describe("an answer that says no", () => {
  it.each([
    { code: 409, reason: "AlreadyExists", is: isConflict },
    { code: 404, reason: "NotFound", is: isNotFound },
    { code: 410, reason: "Expired", is: isGone },
  ])("is told apart: $code $reason", async ({ code, reason, is }) => {
    server.respond = (_, response) => response.writeHead(code).end(status(code, reason, "no"));
    const error: unknown = await api.create(kinds.claims, claim("10.0.0.1", "a/b")).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: code, reason });
    expect([isConflict, isNotFound, isGone].filter((one) => one(error))).toEqual([is]);
    expect(String(error)).toBe(`ApiError: POST /apis/networking.k8s.io/v1/ipaddresses: ${String(code)} ${reason}: no`);
  });

  it("is told in its own words where a proxy and not the API server says it", async () => {
    server.respond = (_, response) => response.writeHead(502).end("<h1>bad gateway</h1>");
    await expect(api.list(kinds.services)).rejects.toThrow("502 : <h1>bad gateway</h1>");
  });

  it("is no error where an object is asked for or deleted that is not there", async () => {
    server.respond = (_, response) => response.writeHead(404).end(status(404, "NotFound", "no"));
    expect(await api.get(kinds.claims, { name: "10.0.0.1" })).toBeUndefined();
    await api.remove(kinds.claims, { name: "10.0.0.1" }, {});
  });
});

describe("a watch", () => {
  const end = new AbortController();
  const watch = (signal = end.signal): AsyncIterable<WatchEvent<Service>> =>
    api.watch(kinds.services, { resourceVersion: "7", signal });
  const line = (type: string, name: string): string =>
    `${JSON.stringify({ type, object: { metadata: { name, resourceVersion: "8" } } })}\n`;
  async function all(): Promise<readonly string[]> {
    const events: string[] = [];
    for await (const { type, object } of watch()) events.push(`${type} ${object.metadata?.name ?? ""}`);
    return events;
  }

  it("asks for bookmarks and goes on from a revision", async () => {
    await all();
    expect(server.received[0]?.url).toBe(
      "/prefix/api/v1/services?watch=true&allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion=7",
    );
  });

  it("gives whole events however the bytes arrive, also where a chunk ends within a letter", async () => {
    const names = ["web", "größe", "日本", "🚢"];
    const bytes = Buffer.from(names.map((name) => line("ADDED", name)).join(""));
    server.respond = (_, response) => {
      const send = (index: number): void => {
        if (index >= bytes.length) response.end();
        else response.write(bytes.subarray(index, index + 1), () => setImmediate(send, index + 1));
      };
      send(0);
    };
    expect(await all()).toEqual(names.map((name) => `ADDED ${name}`));
  });

  it("gives several events of one chunk", async () => {
    const names = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"];
    server.respond = (_, response) => response.end(names.map((type) => line(type, "web")).join(""));
    expect(await all()).toEqual(names.map((type) => `${type} web`));
  });

  it("leaves out an event that was cut off", async () => {
    server.respond = (_, response) => response.end(`${line("ADDED", "web")}{"type":"ADDED","obj`);
    expect(await all()).toEqual(["ADDED web"]);
  });

  it.each<{ how: string; respond: HttpsApi["respond"] }>([
    {
      how: "with its first answer",
      respond: (_, response) => response.writeHead(410).end(status(410, "Expired", "too old")),
    },
    {
      how: "with an event",
      respond: (_, response) =>
        response.end(`{"type":"ERROR","object":${status(410, "Expired", "too old resource version")}}\n`),
    },
  ])("that is too old says so $how", async ({ respond }) => {
    server.respond = respond;
    const error: unknown = await all().catch((thrown: unknown) => thrown);
    expect(isGone(error)).toBe(true);
  });

  it("fails when the connection breaks off", async () => {
    server.respond = (_, response) => {
      response.write(line("ADDED", "web"));
      setImmediate(() => response.destroy());
    };
    await expect(all()).rejects.toThrow(/aborted/);
  });

  it("ends with its signal", async () => {
    const stop = new AbortController();
    server.respond = (_, response) => response.write(line("ADDED", "web"));
    const events: string[] = [];
    const done = (async () => {
      for await (const { type } of watch(stop.signal)) {
        events.push(type);
        stop.abort();
      }
    })();
    await expect(done).rejects.toThrow(/abort/i);
    expect(events).toEqual(["ADDED"]);
  });
});

it("connects with a later call when the first one could not", async () => {
  const transport = lazily();
  vi.stubEnv("KUBECONFIG", "/nowhere/kubeconfig");
  await expect(apiOver(transport).list(kinds.services)).rejects.toThrow();
  vi.stubEnv("KUBECONFIG", server.kubeconfig);
  server.respond = (_, response) => response.end('{"items":[],"metadata":{"resourceVersion":"1"}}');
  expect(await apiOver(transport).list(kinds.services)).toEqual({ items: [], resourceVersion: "1" });
});
