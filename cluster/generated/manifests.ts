/** Made from manifests/ by hack/src/generate.ts; edit them, not this. */

/** An object as the API server takes it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  readonly [field: string]: unknown;
};

/** Everything that the operator applies when it starts, in this order. */
export const manifests: readonly Manifest[] = [
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "bfdprofiles.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: { kind: "BFDProfile", listKind: "BFDProfileList", plural: "bfdprofiles", singular: "bfdprofile" },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Passive Mode", type: "boolean", jsonPath: ".spec.passiveMode" },
            { name: "Transmit Interval", type: "integer", jsonPath: ".spec.transmitInterval" },
            { name: "Receive Interval", type: "integer", jsonPath: ".spec.receiveInterval" },
            { name: "Multiplier", type: "integer", jsonPath: ".spec.detectMultiplier" },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                "BFDProfile says how fast a BGPPeer that names it is found to be gone. Berth keeps it, and does not speak BFD yet.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  properties: {
                    receiveInterval: {
                      description: "Shortest time between control packets that this side can take, in milliseconds.",
                      type: "integer",
                      format: "int32",
                      minimum: 10,
                      maximum: 60000,
                    },
                    transmitInterval: {
                      description: "Shortest time between control packets that this side sends, in milliseconds.",
                      type: "integer",
                      format: "int32",
                      minimum: 10,
                      maximum: 60000,
                    },
                    detectMultiplier: {
                      description: "How many control packets may be missed in a row.",
                      type: "integer",
                      format: "int32",
                      minimum: 2,
                      maximum: 255,
                    },
                    echoInterval: {
                      description: "Shortest time between echo packets that this side can take, in milliseconds.",
                      type: "integer",
                      format: "int32",
                      minimum: 10,
                      maximum: 60000,
                    },
                    echoMode: { description: "Whether echo packets are sent.", type: "boolean" },
                    passiveMode: { description: "Whether this side waits until the other has begun.", type: "boolean" },
                    minimumTtl: {
                      description: "Lowest TTL that a control packet over several hops may arrive with.",
                      type: "integer",
                      format: "int32",
                      minimum: 1,
                      maximum: 254,
                    },
                  },
                },
                status: { type: "object" },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "bgpadvertisements.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: {
        kind: "BGPAdvertisement",
        listKind: "BGPAdvertisementList",
        plural: "bgpadvertisements",
        singular: "bgpadvertisement",
      },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "IPAddressPools", type: "string", jsonPath: ".spec.ipAddressPools" },
            { name: "IPAddressPool Selectors", type: "string", jsonPath: ".spec.ipAddressPoolSelectors" },
            { name: "Peers", type: "string", jsonPath: ".spec.peers" },
            { name: "Node Selectors", type: "string", jsonPath: ".spec.nodeSelectors", priority: 10 },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                "BGPAdvertisement says to which peers the addresses of pools are announced by BGP. Berth keeps it, and does not speak BGP yet.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  "x-kubernetes-validations": [
                    {
                      message:
                        "serviceSelectors go with aggregationLength 32 and aggregationLengthV6 128 only, since a wider route is not one Service's",
                      rule: "!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || (self.aggregationLength == 32 && self.aggregationLengthV6 == 128)",
                    },
                  ],
                  properties: {
                    aggregationLength: {
                      description: "Length of the IPv4 prefixes that are announced.",
                      type: "integer",
                      format: "int32",
                      minimum: 1,
                      default: 32,
                    },
                    aggregationLengthV6: {
                      description: "Length of the IPv6 prefixes that are announced.",
                      type: "integer",
                      format: "int32",
                      default: 128,
                    },
                    localPref: {
                      description: "LOCAL_PREF of the routes, which only peers of one's own AS see.",
                      type: "integer",
                      format: "int32",
                    },
                    communities: {
                      description:
                        "Communities of the routes, as 64512:100, large:64512:1:2 or a name from a Community.",
                      type: "array",
                      items: { type: "string" },
                    },
                    ipAddressPools: {
                      description: "Names of the pools to announce.",
                      type: "array",
                      items: { type: "string" },
                    },
                    ipAddressPoolSelectors: {
                      description: "Selects further pools by their labels; one selector that matches is enough.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    nodeSelectors: {
                      description:
                        "Selects the nodes that announce; one selector that matches is enough; absent means all.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    peers: {
                      description: "Names of the BGPPeers to announce to; absent means all.",
                      type: "array",
                      items: { type: "string" },
                    },
                    serviceSelectors: {
                      description: "Selects the Services whose addresses are announced; absent means all.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                },
                status: { type: "object" },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "bgppeers.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: { kind: "BGPPeer", listKind: "BGPPeerList", plural: "bgppeers", singular: "bgppeer" },
      versions: [
        {
          name: "v1beta2",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Address", type: "string", jsonPath: ".spec.peerAddress" },
            { name: "ASN", type: "string", jsonPath: ".spec.peerASN" },
            { name: "BFD Profile", type: "string", jsonPath: ".spec.bfdProfile" },
            { name: "Multi Hops", type: "string", jsonPath: ".spec.ebgpMultiHop" },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                "BGPPeer is a router that nodes open a BGP session with. Berth keeps it, and does not speak BGP yet.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  required: ["myASN"],
                  properties: {
                    myASN: {
                      description: "AS number of the nodes.",
                      type: "integer",
                      format: "int64",
                      minimum: 0,
                      maximum: 4294967295,
                    },
                    peerASN: {
                      description: "AS number of the peer; this or dynamicASN.",
                      type: "integer",
                      format: "int64",
                      minimum: 0,
                      maximum: 4294967295,
                    },
                    dynamicASN: {
                      description:
                        "Takes the peer's AS number as it comes, where it is the nodes' own (internal) or another (external).",
                      type: "string",
                      enum: ["internal", "external"],
                    },
                    localASN: {
                      description: "AS number to show to this peer in place of myASN.",
                      type: "integer",
                      format: "int64",
                      minimum: 1,
                      maximum: 4294967295,
                    },
                    peerAddress: { description: "Address of the peer; this or interface.", type: "string" },
                    interface: {
                      description: "Interface of the node on which the peer is found without an address.",
                      type: "string",
                    },
                    sourceAddress: { description: "Address that sessions are opened from.", type: "string" },
                    peerPort: {
                      description: "TCP port of the peer.",
                      type: "integer",
                      minimum: 1,
                      maximum: 16384,
                      default: 179,
                    },
                    holdTime: {
                      description: "Time without a message after which the session has ended, as 90s.",
                      type: "string",
                    },
                    keepaliveTime: {
                      description: "Time between two messages that keep the session, as 30s.",
                      type: "string",
                    },
                    connectTime: {
                      description: "Time between two attempts to open the session, as 10s.",
                      type: "string",
                      "x-kubernetes-validations": [
                        {
                          message: "connectTime is from 1s to 65535s",
                          rule: "duration(self) >= duration('1s') && duration(self) < duration('65536s')",
                        },
                        {
                          message: "connectTime is of whole seconds",
                          rule: "duration(self).getMilliseconds() % 1000 == 0",
                        },
                      ],
                    },
                    routerID: { description: "The nodes' BGP identifier, written as an IPv4 address.", type: "string" },
                    nodeSelectors: {
                      description:
                        "Selects the nodes that open a session; one selector that matches is enough; absent means all.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    password: { description: "Password of the session (TCP MD5); better in a Secret.", type: "string" },
                    passwordSecret: {
                      description: "Secret of type kubernetes.io/basic-auth that has the password.",
                      type: "object",
                      "x-kubernetes-map-type": "atomic",
                      properties: { name: { type: "string" }, namespace: { type: "string" } },
                    },
                    bfdProfile: { description: "Name of the BFDProfile by which the peer is watched.", type: "string" },
                    enableGracefulRestart: {
                      description: "Whether the peer keeps routes while a session is opened anew.",
                      type: "boolean",
                      "x-kubernetes-validations": [
                        {
                          message: "enableGracefulRestart is chosen when the peer is created",
                          rule: "self == oldSelf",
                        },
                      ],
                    },
                    ebgpMultiHop: {
                      description: "Whether a peer of another AS may be several hops away.",
                      type: "boolean",
                    },
                    vrf: { description: "VRF of the node from which the session is opened.", type: "string" },
                    dualStackAddressFamily: {
                      description: "Whether the session carries routes of both IP families.",
                      type: "boolean",
                      default: false,
                    },
                    disableMP: {
                      description:
                        "MetalLB's former switch for one IP family a session; dualStackAddressFamily has taken its place.",
                      type: "boolean",
                      default: false,
                    },
                  },
                },
                status: { type: "object" },
              },
            },
          },
        },
        {
          name: "v1beta1",
          served: true,
          storage: false,
          deprecated: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Address", type: "string", jsonPath: ".spec.peerAddress" },
            { name: "ASN", type: "string", jsonPath: ".spec.peerASN" },
            { name: "BFD Profile", type: "string", jsonPath: ".spec.bfdProfile" },
            { name: "Multi Hops", type: "string", jsonPath: ".spec.ebgpMultiHop" },
          ],
          schema: {
            openAPIV3Schema: {
              description: "BGPPeer is a router that nodes open a BGP session with, in its former version.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  required: ["myASN"],
                  "x-kubernetes-validations": [
                    {
                      message: "write the peer's AS number",
                      rule: "has(self.peerASN) || has(self.dynamicASN)",
                      fieldPath: ".peerASN",
                      reason: "FieldValueRequired",
                    },
                    {
                      message: "write the peer's address",
                      rule: "has(self.peerAddress) || has(self.interface)",
                      fieldPath: ".peerAddress",
                      reason: "FieldValueRequired",
                    },
                  ],
                  properties: {
                    myASN: {
                      description: "AS number of the nodes.",
                      type: "integer",
                      format: "int64",
                      minimum: 0,
                      maximum: 4294967295,
                    },
                    peerASN: {
                      description: "AS number of the peer; this or dynamicASN.",
                      type: "integer",
                      format: "int64",
                      minimum: 0,
                      maximum: 4294967295,
                    },
                    dynamicASN: {
                      description:
                        "Takes the peer's AS number as it comes, where it is the nodes' own (internal) or another (external).",
                      type: "string",
                      enum: ["internal", "external"],
                    },
                    localASN: {
                      description: "AS number to show to this peer in place of myASN.",
                      type: "integer",
                      format: "int64",
                      minimum: 1,
                      maximum: 4294967295,
                    },
                    peerAddress: { description: "Address of the peer; this or interface.", type: "string" },
                    interface: {
                      description: "Interface of the node on which the peer is found without an address.",
                      type: "string",
                    },
                    sourceAddress: { description: "Address that sessions are opened from.", type: "string" },
                    peerPort: { description: "TCP port of the peer.", type: "integer", minimum: 0, maximum: 16384 },
                    holdTime: {
                      description: "Time without a message after which the session has ended, as 90s.",
                      type: "string",
                    },
                    keepaliveTime: {
                      description: "Time between two messages that keep the session, as 30s.",
                      type: "string",
                    },
                    connectTime: {
                      description: "Time between two attempts to open the session, as 10s.",
                      type: "string",
                      "x-kubernetes-validations": [
                        {
                          message: "connectTime is from 1s to 65535s",
                          rule: "duration(self) >= duration('1s') && duration(self) < duration('65536s')",
                        },
                        {
                          message: "connectTime is of whole seconds",
                          rule: "duration(self).getMilliseconds() % 1000 == 0",
                        },
                      ],
                    },
                    routerID: { description: "The nodes' BGP identifier, written as an IPv4 address.", type: "string" },
                    nodeSelectors: {
                      description:
                        "Selects the nodes that open a session; one selector that matches is enough; absent means all.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    password: { description: "Password of the session (TCP MD5); better in a Secret.", type: "string" },
                    passwordSecret: {
                      description: "Secret of type kubernetes.io/basic-auth that has the password.",
                      type: "object",
                      "x-kubernetes-map-type": "atomic",
                      properties: { name: { type: "string" }, namespace: { type: "string" } },
                    },
                    bfdProfile: { description: "Name of the BFDProfile by which the peer is watched.", type: "string" },
                    enableGracefulRestart: {
                      description: "Whether the peer keeps routes while a session is opened anew.",
                      type: "boolean",
                      "x-kubernetes-validations": [
                        {
                          message: "enableGracefulRestart is chosen when the peer is created",
                          rule: "self == oldSelf",
                        },
                      ],
                    },
                    ebgpMultiHop: {
                      description: "Whether a peer of another AS may be several hops away.",
                      type: "boolean",
                    },
                    vrf: { description: "VRF of the node from which the session is opened.", type: "string" },
                    dualStackAddressFamily: {
                      description: "Whether the session carries routes of both IP families.",
                      type: "boolean",
                      default: false,
                    },
                    disableMP: {
                      description:
                        "MetalLB's former switch for one IP family a session; dualStackAddressFamily has taken its place.",
                      type: "boolean",
                      default: false,
                    },
                  },
                },
                status: { type: "object" },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "communities.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: { kind: "Community", listKind: "CommunityList", plural: "communities", singular: "community" },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              description:
                "Community gives BGP communities names that a BGPAdvertisement can use. Berth keeps it, and does not speak BGP yet.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  properties: {
                    communities: {
                      description: "The names.",
                      type: "array",
                      items: {
                        type: "object",
                        properties: {
                          name: { description: "The name, of which there is one in the cluster.", type: "string" },
                          value: { description: "The community, as 64512:100 or large:64512:1:2.", type: "string" },
                        },
                      },
                    },
                  },
                },
                status: { type: "object" },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "ipaddresspools.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: {
        kind: "IPAddressPool",
        listKind: "IPAddressPoolList",
        plural: "ipaddresspools",
        singular: "ipaddresspool",
      },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Auto Assign", type: "boolean", jsonPath: ".spec.autoAssign" },
            { name: "Avoid Buggy IPs", type: "boolean", jsonPath: ".spec.avoidBuggyIPs" },
            { name: "Addresses", type: "string", jsonPath: ".spec.addresses" },
          ],
          schema: {
            openAPIV3Schema: {
              description: "IPAddressPool is a set of addresses that LoadBalancer Services are given.",
              type: "object",
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  required: ["addresses"],
                  properties: {
                    addresses: {
                      description:
                        "Ranges of addresses, each a CIDR (192.168.1.0/24) or first-last (192.168.1.200-192.168.1.220); IPv4 and IPv6 may stand side by side.",
                      type: "array",
                      items: { type: "string" },
                    },
                    autoAssign: {
                      description: "Whether a Service that names no pool may be given an address of this one.",
                      type: "boolean",
                      default: true,
                    },
                    avoidBuggyIPs: {
                      description: "Whether IPv4 addresses that end in .0 or .255 are kept back.",
                      type: "boolean",
                      default: false,
                    },
                    serviceAllocation: {
                      description: "Which Services this pool is for; absent means all.",
                      type: "object",
                      properties: {
                        priority: {
                          description: "Pools with a lower priority above 0 come first; 0 comes after all of them.",
                          type: "integer",
                        },
                        namespaces: {
                          description: "Names of the namespaces whose Services may use this pool.",
                          type: "array",
                          items: { type: "string" },
                        },
                        namespaceSelectors: {
                          description:
                            "Selects further namespaces by their labels; one selector that matches is enough.",
                          type: "array",
                          items: {
                            type: "object",
                            "x-kubernetes-map-type": "atomic",
                            properties: {
                              matchLabels: { type: "object", additionalProperties: { type: "string" } },
                              matchExpressions: {
                                type: "array",
                                "x-kubernetes-list-type": "atomic",
                                items: {
                                  type: "object",
                                  required: ["key", "operator"],
                                  properties: {
                                    key: { type: "string" },
                                    operator: { type: "string" },
                                    values: {
                                      type: "array",
                                      "x-kubernetes-list-type": "atomic",
                                      items: { type: "string" },
                                    },
                                  },
                                },
                              },
                            },
                          },
                        },
                        serviceSelectors: {
                          description: "Selects Services by their labels; one selector that matches is enough.",
                          type: "array",
                          items: {
                            type: "object",
                            "x-kubernetes-map-type": "atomic",
                            properties: {
                              matchLabels: { type: "object", additionalProperties: { type: "string" } },
                              matchExpressions: {
                                type: "array",
                                "x-kubernetes-list-type": "atomic",
                                items: {
                                  type: "object",
                                  required: ["key", "operator"],
                                  properties: {
                                    key: { type: "string" },
                                    operator: { type: "string" },
                                    values: {
                                      type: "array",
                                      "x-kubernetes-list-type": "atomic",
                                      items: { type: "string" },
                                    },
                                  },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                },
                status: {
                  type: "object",
                  required: ["assignedIPv4", "assignedIPv6", "availableIPv4", "availableIPv6"],
                  properties: {
                    assignedIPv4: {
                      description: "IPv4 addresses in use; a shared one counts once.",
                      type: "integer",
                      format: "int64",
                    },
                    assignedIPv6: {
                      description: "IPv6 addresses in use; a shared one counts once.",
                      type: "integer",
                      format: "int64",
                    },
                    availableIPv4: { description: "IPv4 addresses that are free.", type: "integer", format: "int64" },
                    availableIPv6: {
                      description: "IPv6 addresses that are free, at most 2^63-1.",
                      type: "integer",
                      format: "int64",
                    },
                    conditions: {
                      description:
                        "What is to be known of this object beside its counts; berth.dev/Ready says whether it gives addresses.",
                      type: "array",
                      "x-kubernetes-list-type": "map",
                      "x-kubernetes-list-map-keys": ["type"],
                      items: {
                        type: "object",
                        required: ["type", "status", "lastTransitionTime", "reason", "message"],
                        properties: {
                          type: {
                            type: "string",
                            maxLength: 316,
                            pattern:
                              "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                          },
                          status: { type: "string", enum: ["True", "False", "Unknown"] },
                          reason: {
                            type: "string",
                            minLength: 1,
                            maxLength: 1024,
                            pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                          },
                          message: { type: "string", maxLength: 32768 },
                          lastTransitionTime: { type: "string", format: "date-time" },
                          observedGeneration: { type: "integer", format: "int64", minimum: 0 },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "l2advertisements.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: {
        kind: "L2Advertisement",
        listKind: "L2AdvertisementList",
        plural: "l2advertisements",
        singular: "l2advertisement",
      },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "IPAddressPools", type: "string", jsonPath: ".spec.ipAddressPools" },
            { name: "IPAddressPool Selectors", type: "string", jsonPath: ".spec.ipAddressPoolSelectors" },
            { name: "Interfaces", type: "string", jsonPath: ".spec.interfaces" },
            { name: "Node Selectors", type: "string", jsonPath: ".spec.nodeSelectors", priority: 10 },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                "L2Advertisement says from which nodes and interfaces the addresses of pools are announced by ARP and NDP. An empty spec means every pool, node and interface.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: {
                  type: "object",
                  properties: {
                    ipAddressPools: {
                      description: "Names of the pools to announce.",
                      type: "array",
                      items: { type: "string" },
                    },
                    ipAddressPoolSelectors: {
                      description: "Selects further pools by their labels; one selector that matches is enough.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    nodeSelectors: {
                      description:
                        "Selects the nodes that may announce; one selector that matches is enough; absent means all.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    interfaces: {
                      description: "Names of the interfaces to announce on; absent means every usable one.",
                      type: "array",
                      items: { type: "string" },
                    },
                    serviceSelectors: {
                      description: "Selects the Services whose addresses are announced; absent means all.",
                      type: "array",
                      items: {
                        type: "object",
                        "x-kubernetes-map-type": "atomic",
                        properties: {
                          matchLabels: { type: "object", additionalProperties: { type: "string" } },
                          matchExpressions: {
                            type: "array",
                            "x-kubernetes-list-type": "atomic",
                            items: {
                              type: "object",
                              required: ["key", "operator"],
                              properties: {
                                key: { type: "string" },
                                operator: { type: "string" },
                                values: {
                                  type: "array",
                                  "x-kubernetes-list-type": "atomic",
                                  items: { type: "string" },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    preferredNodeSelectors: {
                      description: "Nodes to prefer; the weights of all that match a node add up.",
                      type: "array",
                      items: {
                        type: "object",
                        required: ["weight", "preference"],
                        properties: {
                          weight: { type: "integer", format: "int32", minimum: 1, maximum: 100 },
                          preference: {
                            type: "object",
                            "x-kubernetes-map-type": "atomic",
                            properties: {
                              matchLabels: { type: "object", additionalProperties: { type: "string" } },
                              matchExpressions: {
                                type: "array",
                                "x-kubernetes-list-type": "atomic",
                                items: {
                                  type: "object",
                                  required: ["key", "operator"],
                                  properties: {
                                    key: { type: "string" },
                                    operator: { type: "string" },
                                    values: {
                                      type: "array",
                                      "x-kubernetes-list-type": "atomic",
                                      items: { type: "string" },
                                    },
                                  },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                },
                status: {
                  type: "object",
                  properties: {
                    conditions: {
                      description:
                        "What is to be known of this object; berth.dev/Ready says whether it announces all that it names.",
                      type: "array",
                      "x-kubernetes-list-type": "map",
                      "x-kubernetes-list-map-keys": ["type"],
                      items: {
                        type: "object",
                        required: ["type", "status", "lastTransitionTime", "reason", "message"],
                        properties: {
                          type: {
                            type: "string",
                            maxLength: 316,
                            pattern:
                              "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                          },
                          status: { type: "string", enum: ["True", "False", "Unknown"] },
                          reason: {
                            type: "string",
                            minLength: 1,
                            maxLength: 1024,
                            pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                          },
                          message: { type: "string", maxLength: 32768 },
                          lastTransitionTime: { type: "string", format: "date-time" },
                          observedGeneration: { type: "integer", format: "int64", minimum: 0 },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "servicebgpstatuses.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: {
        kind: "ServiceBGPStatus",
        listKind: "ServiceBGPStatusList",
        plural: "servicebgpstatuses",
        singular: "servicebgpstatus",
      },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Node", type: "string", jsonPath: ".status.node" },
            { name: "Service Name", type: "string", jsonPath: ".status.serviceName" },
            { name: "Service Namespace", type: "string", jsonPath: ".status.serviceNamespace" },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                "ServiceBGPStatus says to which peers a node announces the addresses of a Service. Berth makes none, since it does not speak BGP yet.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: { type: "object" },
                status: {
                  type: "object",
                  properties: {
                    node: {
                      description: "The node that announces.",
                      type: "string",
                      "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
                    },
                    serviceName: {
                      description: "The Service whose addresses the node announces.",
                      type: "string",
                      "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
                    },
                    serviceNamespace: {
                      description: "The namespace of the Service.",
                      type: "string",
                      "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
                    },
                    peers: {
                      description: "Names of the BGPPeers that the addresses are announced to.",
                      type: "array",
                      items: { type: "string" },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "servicel2statuses.metallb.io" },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: {
        kind: "ServiceL2Status",
        listKind: "ServiceL2StatusList",
        plural: "servicel2statuses",
        singular: "servicel2status",
      },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Allocated Node", type: "string", jsonPath: ".status.node" },
            { name: "Service Name", type: "string", jsonPath: ".status.serviceName" },
            { name: "Service Namespace", type: "string", jsonPath: ".status.serviceNamespace" },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                "ServiceL2Status says which node answers ARP and NDP requests for the addresses of a Service. Berth writes it.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: { type: "object" },
                status: {
                  type: "object",
                  properties: {
                    node: {
                      description: "The node that answers.",
                      type: "string",
                      "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
                    },
                    serviceName: {
                      description: "The Service whose addresses the node answers for.",
                      type: "string",
                      "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
                    },
                    serviceNamespace: {
                      description: "The namespace of the Service.",
                      type: "string",
                      "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
                    },
                    interfaces: {
                      description: "The interfaces that answer; an empty list means all.",
                      type: "array",
                      items: {
                        type: "object",
                        properties: { name: { description: "The name of the interface.", type: "string" } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "announcer-leases.berth.dev" },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        matchPolicy: "Equivalent",
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: [
          {
            apiGroups: ["coordination.k8s.io"],
            apiVersions: ["*"],
            operations: ["CREATE", "UPDATE"],
            resources: ["leases"],
            scope: "*",
          },
        ],
      },
      matchConditions: [
        {
          name: "by-an-announcer",
          expression: "request.userInfo.username == 'system:serviceaccount:metallb-system:announcer'",
        },
      ],
      variables: [
        {
          name: "node",
          expression:
            "'authentication.kubernetes.io/node-name' in request.userInfo.extra ? request.userInfo.extra['authentication.kubernetes.io/node-name'][0] : ''",
        },
        { name: "plan", expression: "object.metadata.?annotations[?'berth.dev/plan'].orValue('')" },
        {
          name: "planBefore",
          expression: "oldObject == null ? '' : oldObject.metadata.?annotations[?'berth.dev/plan'].orValue('')",
        },
        { name: "labels", expression: "object.metadata.?labels.orValue({})" },
        { name: "labelsBefore", expression: "oldObject == null ? {} : oldObject.metadata.?labels.orValue({})" },
      ],
      validations: [
        {
          expression: "variables.node != '' && object.metadata.name == 'announcer-' + variables.node",
          reason: "Forbidden",
          messageExpression:
            "'Lease \"' + object.metadata.name + '\" is not the one of this announcer, which ' + (variables.node == '' ? 'names no node; use the token of its pod' : 'is \"announcer-' + variables.node + '\"; write to that one')",
        },
        {
          expression: "variables.plan == variables.planBefore && variables.labels == variables.labelsBefore",
          reason: "Forbidden",
          messageExpression:
            "'Lease \"' + object.metadata.name + '\" has its plan and labels from the operator; write to spec and berth.dev/status alone'",
        },
      ],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: "announcer-leases.berth.dev" },
    spec: { policyName: "announcer-leases.berth.dev", validationActions: ["Deny"] },
  },
  {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "pepr-berth", namespace: "pepr-system" },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: { app: "pepr-berth" } },
    },
  },
  {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "pepr-berth-watcher", namespace: "pepr-system" },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: { app: "pepr-berth-watcher" } },
    },
  },
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: "pepr-system",
      labels: {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "pepr-berth", namespace: "pepr-system" },
    spec: {
      podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["pepr-berth", "pepr-berth-watcher"] }] },
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ protocol: "TCP", port: 3000 }] }],
    },
  },
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: "metallb-system",
      labels: {
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
      },
    },
  },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "announcer", namespace: "metallb-system" } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "announcer", namespace: "metallb-system" },
    rules: [
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "list", "watch", "create", "patch"] },
      { apiGroups: [""], resources: ["secrets"], resourceNames: ["announcer-hello"], verbs: ["get"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "announcer", namespace: "metallb-system" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "announcer" },
    subjects: [{ kind: "ServiceAccount", name: "announcer", namespace: "metallb-system" }],
  },
  {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "announcer", namespace: "metallb-system", labels: { app: "metallb", component: "announcer" } },
    spec: {
      selector: { matchLabels: { app: "metallb", component: "announcer" } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels: { app: "metallb", component: "announcer" } },
        spec: {
          serviceAccountName: "announcer",
          hostNetwork: true,
          dnsPolicy: "Default",
          enableServiceLinks: false,
          priorityClassName: "system-node-critical",
          terminationGracePeriodSeconds: 10,
          nodeSelector: { "kubernetes.io/os": "linux" },
          tolerations: [
            { effect: "NoSchedule", operator: "Exists" },
            { effect: "NoExecute", operator: "Exists" },
          ],
          containers: [
            {
              name: "announcer",
              image: "berth.dev/announcer:0.1.0",
              imagePullPolicy: "IfNotPresent",
              env: [
                { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
                { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
              ],
              ports: [{ name: "http", containerPort: 17475 }],
              startupProbe: {
                httpGet: { path: "/healthz", port: "http" },
                periodSeconds: 1,
                timeoutSeconds: 5,
                failureThreshold: 60,
              },
              livenessProbe: {
                httpGet: { path: "/healthz", port: "http" },
                periodSeconds: 10,
                timeoutSeconds: 5,
                failureThreshold: 6,
              },
              readinessProbe: { httpGet: { path: "/readyz", port: "http" }, periodSeconds: 2, timeoutSeconds: 5 },
              resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { memory: "128Mi" } },
              volumeMounts: [
                { name: "hello-keys", mountPath: "/etc/berth/hello", readOnly: true },
                { name: "state", mountPath: "/var/lib/berth" },
              ],
              securityContext: {
                runAsUser: 0,
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"], add: ["NET_RAW"] },
                seccompProfile: { type: "RuntimeDefault" },
              },
            },
          ],
          volumes: [
            { name: "hello-keys", secret: { secretName: "announcer-hello", defaultMode: 256, optional: true } },
            { name: "state", hostPath: { path: "/var/lib/berth", type: "DirectoryOrCreate" } },
          ],
        },
      },
    },
  },
];
