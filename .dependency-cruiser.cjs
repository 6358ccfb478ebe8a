// Who may import whom. No `tsConfig` here: with it, "pepr" would resolve to our pepr.ts.
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from },
  to: { pathNot: allowed },
});
const here = (...folders) => folders.map((folder) => `^${folder}`);

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: { path: "^(core|cluster|capabilities)" }, to: { circular: true } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    only("result-and-keys", "^core/(result|keys)", [], "They import nothing."),
    only("labels", "^core/labels", here("core/result"), "Selectors know nothing of what they select."),
    only(
      "address",
      "^core/address/",
      here("core/(result|address/)").concat("node_modules/ipaddr[.]js/"),
      "Addresses stand by themselves.",
    ),
    only("pool", "^core/pool/", here("core/(result|keys|labels|address/|pool/)"), "A pool from its spec."),
    only(
      "allocation",
      "^core/allocation/",
      here("core/(result|json|keys|labels|address/|pool/|allocation/)"),
      "Chooses.",
    ),
    only(
      "announce",
      "^core/announce/",
      here("core/(result|json|keys|labels|address/|announce/)").concat("^(node:)?crypto$"),
      "Plans.",
    ),
    only("explain", "^core/explain", here("core/"), "The one place for sentences."),
    only(
      "ipaddr-once",
      "^(core/(?!address)|cluster|capabilities)",
      ["^(?!.*ipaddr[.]js)"],
      "ipaddr.js is core/address's.",
    ),
    only(
      "cluster",
      "^cluster/",
      here("core/", "cluster/").concat(
        "node_modules/(pepr|kubernetes-fluent-client|@kubernetes/client-node|@peculiar/asn1-(schema|x509)|pino)/",
        "^(node:)?[a-z_]+(/promises)?$",
      ),
      "Kubernetes I/O, no decisions.",
    ),
    only(
      "capabilities",
      "^capabilities/",
      here("core/", "cluster/", "capabilities/").concat("node_modules/pepr/"),
      "Glue.",
    ),
    {
      name: "capabilities-apart",
      comment: "No capability imports another one.",
      severity: "error",
      from: { path: "^capabilities/(services|pools|announcements)[.]ts$" },
      to: { path: "^capabilities/(services|pools|announcements)[.]ts$" },
    },
    { name: "tests-last", severity: "error", from: { pathNot: "^tests/" }, to: { path: "^tests/" } },
    {
      name: "no-product-in-hack",
      severity: "error",
      from: { path: "^(core|cluster|capabilities|pepr)" },
      to: { path: "^hack/" },
    },
  ],
  options: { doNotFollow: { path: "node_modules" }, exclude: { path: "^(dist|announcer)/" } },
};
