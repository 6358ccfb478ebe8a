import { describe, expect, it } from "vitest";
import { isNarrowed, narrowed, STRICT_ENTRY } from "../../cluster/webhooks.ts";

const rule = (apiGroup: string, resource: string) => ({
  apiGroups: [apiGroup],
  apiVersions: ["v1beta1"],
  operations: ["CREATE", "UPDATE"],
  resources: [resource],
  scope: "*",
});
const peprs = {
  name: "pepr-berth.pepr.dev",
  admissionReviewVersions: ["v1", "v1beta1"],
  clientConfig: {
    caBundle: "Q0E=",
    service: { name: "pepr-berth", namespace: "pepr-system", path: "/validate/token" },
  },
  failurePolicy: "Ignore",
  matchPolicy: "Equivalent",
  timeoutSeconds: 5,
  sideEffects: "None",
  namespaceSelector: {
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] }],
  },
  rules: [
    rule("", "services"),
    rule("metallb.io", "ipaddresspools"),
    rule("metallb.io", "l2advertisements"),
    rule("metallb.io", "bgppeers"),
    rule("metallb.io", "communities"),
  ],
};
const configuration = (...webhooks: readonly object[]) => ({
  metadata: { name: "pepr-berth" },
  webhooks: webhooks as readonly (typeof peprs)[],
});
const onlyServices = { ...peprs, rules: [rule("", "services")] };

const serving = { certificate: "cert", key: "key", authorities: "authorities", path: "path" };
const narrow = (...webhooks: readonly object[]) => narrowed(configuration(...webhooks), serving);

type Entry = typeof peprs;

/** The configuration when the entries are applied, as the API server merges them by name and adds defaults. */
function applied({ metadata, webhooks }: ReturnType<typeof configuration>): ReturnType<typeof configuration> {
  const entries = (narrowed({ metadata, webhooks }, serving) ?? []) as readonly Entry[];
  const merged = webhooks.map((one) => ({ ...one, ...entries.find(({ name }) => name === one.name) }));
  const added = entries.filter(({ name }) => webhooks.every((one) => one.name !== name));
  return {
    metadata,
    webhooks: [...merged, ...added].map((one) => ({ objectSelector: {}, ...one })),
  };
}

describe("the entries to apply", () => {
  it("are those of the golden file", async () => {
    await expect(`${JSON.stringify(narrow(peprs), undefined, 2)}\n`).toMatchFileSnapshot("webhooks.golden");
  });

  it("have Pepr's own ask nobody, and say nothing of what is Pepr's in it", () => {
    expect(narrow(peprs)?.[0]).toEqual({
      name: peprs.name,
      matchConditions: [{ name: "asked-by-entries-of-its-own", expression: "false" }],
    });
  });

  it("fail open for Services, closed for pools and advertisements, and open for the kinds of BGP", () => {
    expect(narrow(peprs)).toMatchObject([
      { name: peprs.name },
      { name: "services.berth.dev", failurePolicy: "Ignore", rules: peprs.rules.slice(0, 1) },
      { name: STRICT_ENTRY, failurePolicy: "Fail", rules: peprs.rules.slice(1, 3) },
      { name: "bgp.berth.dev", failurePolicy: "Ignore", sideEffects: "None", rules: peprs.rules.slice(3) },
    ]);
  });

  it("reach Pepr's Service at Berth's own path, and trust Berth's own authorities", () => {
    for (const entry of narrow(peprs)?.slice(1) ?? []) {
      expect(entry).toMatchObject({
        clientConfig: {
          caBundle: Buffer.from("authorities").toString("base64"),
          service: { name: "pepr-berth", namespace: "pepr-system", path: "/validate/path" },
        },
      });
    }
  });

  it("reach the machine that Pepr names outside of a cluster as Pepr says", () => {
    const clientConfig = { url: "https://192.168.1.9:3000/validate/token", caBundle: "Q0E=" };
    expect(narrow({ ...peprs, clientConfig })?.slice(1)).toMatchObject([
      { clientConfig },
      { clientConfig },
      { clientConfig },
    ]);
  });

  it("are two where Pepr has no rule for MetalLB's kinds, as in the mutating configuration", () => {
    expect(narrow(onlyServices)).toHaveLength(2);
  });

  it("are none where Pepr's own is missing", () => {
    const other = { ...peprs, name: "other.pepr.dev" };
    expect(narrow(other)).toBeUndefined();
    expect(isNarrowed(configuration(other), serving)).toBe(true);
  });
});

describe("a configuration", () => {
  it.each([
    { what: "as Pepr writes it", webhooks: [peprs] },
    { what: "without rules for MetalLB's kinds", webhooks: [onlyServices] },
    { what: "without what Pepr may leave out", webhooks: [{ ...peprs, matchPolicy: undefined }] },
  ])("is narrowed after one application and not before: $what", ({ webhooks }) => {
    const before = configuration(...webhooks);
    expect(isNarrowed(before, serving)).toBe(false);
    const after = applied(before);
    expect(isNarrowed(after, serving)).toBe(true);
    expect(narrowed(after, serving)).toEqual(narrowed(before, serving));
  });

  it("is as it is to be while Pepr has a new certificate and path, as after each deploy", () => {
    const [own, ...entries] = applied(configuration(peprs)).webhooks;
    const service = { ...peprs.clientConfig.service, path: "/validate/other" };
    const renewed = { ...own, clientConfig: { caBundle: "TkVX", service } };
    expect(isNarrowed(configuration(renewed, ...entries), serving)).toBe(true);
  });

  it.each([
    ["authorities", { ...serving, authorities: "others" }],
    ["path", { ...serving, path: "other" }],
  ])("is narrowed anew when Berth has a new %s", (_, next) => {
    expect(isNarrowed(applied(configuration(peprs)), next)).toBe(false);
  });

  it("keeps entries that concern nobody", () => {
    const other = { ...peprs, name: "other.example.com" };
    expect(applied(configuration(peprs, other)).webhooks.map(({ name }) => name)).toEqual([
      peprs.name,
      other.name,
      "services.berth.dev",
      STRICT_ENTRY,
      "bgp.berth.dev",
    ]);
  });
});
