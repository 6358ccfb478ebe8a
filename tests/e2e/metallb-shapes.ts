/** Pools and advertisements in every shape that MetalLB's users write, each with fields that no other has. */
const pool = (spec: string, metadata = ""): string => `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: shaped
${metadata}spec:
${spec}`;

const advertisement = (spec: string): string => `apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: shaped
${spec}`;

export const metallbShapes: Readonly<Record<string, string>> = {
  "a pool of CIDRs, ranges and both families": pool(`  addresses:
  - 198.18.10.0/24
  - 198.18.11.5-198.18.11.250
  - fc00:f853:0ccd:e799::/124
  - fc00:f853:0ccd:e79a::1 - fc00:f853:0ccd:e79a::f
`),
  "a pool that gives nothing by itself": pool(`  addresses:
  - 198.18.20.0/30
  autoAssign: false
`),
  "a pool that avoids .0 and .255": pool(`  addresses:
  - 198.18.30.0/24
  avoidBuggyIPs: true
`),
  "a pool for some namespaces and Services": pool(`  addresses:
  - 198.18.40.0/24
  serviceAllocation:
    priority: 50
    namespaces:
    - namespace-a
    - namespace-b
    namespaceSelectors:
    - matchLabels:
        foo: bar
    serviceSelectors:
    - matchExpressions:
      - {key: app, operator: In, values: [bar]}
`),
  "a pool with labels": pool(
    `  addresses:
  - 198.18.50.0/24
`,
    `  labels:
    zone: east
`,
  ),
  "an advertisement without a spec": advertisement(""),
  "an advertisement of pools by name": advertisement(`spec:
  ipAddressPools:
  - first-pool
  - second-pool
`),
  "an advertisement of pools by label": advertisement(`spec:
  ipAddressPoolSelectors:
  - matchExpressions:
    - key: zone
      operator: In
      values:
      - east
      - west
`),
  "an advertisement from some nodes": advertisement(`spec:
  ipAddressPools:
  - first-pool
  nodeSelectors:
  - matchLabels:
      kubernetes.io/hostname: NodeA
  - matchLabels:
      kubernetes.io/hostname: NodeB
`),
  "an advertisement on some interfaces": advertisement(`spec:
  ipAddressPools:
  - first-pool
  interfaces:
  - eth0
  - eth1
`),
  "an advertisement of some Services": advertisement(`spec:
  serviceSelectors:
  - matchLabels:
      environment: production
`),
  "an advertisement that prefers nodes": advertisement(`spec:
  preferredNodeSelectors:
  - weight: 100
    preference:
      matchLabels:
        zone: primary
  - weight: 10
    preference:
      matchExpressions:
      - {key: zone, operator: Exists}
`),
};
