/** Makes the text of docs/messages.md from the catalogue and the sentences of core/explain. */
import { explain, explainNote, type AdmissionNote, type Refusal } from "../../../core/explain.ts";
import { aboutBgp } from "./bgp.ts";
import type { Answer, Entry } from "./entry.ts";
import { aboutPools } from "./pools.ts";
import { aboutServices } from "./services.ts";
import { address, other, pin, pool, service } from "./values.ts";

const INTRODUCTION = `# What Berth says

Made from the sentences themselves by \`npm run generate\`; edit \`hack/src/messages\`, not this page.

Whatever Berth refuses, it refuses in the answer to \`kubectl apply\`, in one sentence: the thing and its name, what is wrong, and after the
semicolon what to do. The same sentence stands in the Event and in the condition of the object, so that it can be read later:

\`\`\`sh
kubectl describe service web
kubectl get service web -o jsonpath='{.status.conditions[?(@.type=="berth.dev/AddressAssigned")]}'
kubectl wait service/web --for=condition=berth.dev/AddressAssigned
\`\`\`

The condition's reason is the name of the message below, with a capital letter (\`PoolsFull\`), or \`Assigned\`.

Three things can come of a request:

- **denied**: nothing is stored, and \`kubectl\` exits with 1. A Service that exists goes on as it is, with its address.
- **waits**: a new Service is stored, \`kubectl\` prints a Warning, and the address comes as soon as it can be had. On a Service that has an
  address already such a change is denied instead: it would lose what it has. The setting \`BERTH_EXHAUSTION=deny\` denies \`poolsFull\` and \`noPools\`
  for new Services too.
- **warning**: the object is stored and works as far as it can.

A change that is not about the fault, to a Service or pool that has it already, is admitted with the sentence as a Warning, unless it would
take an address away.
`;

const KUBECTL: Readonly<Record<Answer, string>> = { denied: "denied", waits: "waits", warning: "warning" };

/** What kubectl prints for an object of that kind; the webhook's name tells Services from Berth's own kinds. */
function asPrinted(refusal: Refusal, answer: Answer): string {
  const sentence = explain(refusal);
  if (answer !== "denied") return `Warning: ${sentence}`;
  const webhook = "service" in refusal ? "services.berth.dev" : "configuration.berth.dev";
  return `Error from server: error when creating "file.yaml": admission webhook "${webhook}" denied the request: ${sentence}`;
}

function section(kind: string, { answer, cause, cure, examples }: Entry<Refusal>): string {
  const printed = examples.map((example) => asPrinted(example, answer));
  return `### ${kind}

${KUBECTL[answer]} · ${cause} ${cure}

\`\`\`text
${printed.join("\n")}
\`\`\`
`;
}

const NOTES: readonly AdmissionNote[] = [
  { kind: "notYet", service },
  { kind: "defaultPort", service },
  { kind: "moved", service, from: [pin.address], to: [address("10.0.0.100")] },
  { kind: "oldPrefix", service, names: ["metallb.universe.tf/loadBalancerIPs"] },
  { kind: "sharesAcrossNamespaces", service, address: pin.address, pool },
];

const LOSES: readonly AdmissionNote[] = [
  {
    kind: "loses",
    service,
    addresses: [pin.address],
    parting: { kind: "held", holder: other, conflict: { kind: "samePorts", ports: ["TCP/80"] } },
  },
  { kind: "loses", service, addresses: [pin.address], parting: { kind: "mayNotServe", pool, problem: "labels" } },
];

const FORGED: AdmissionNote = { kind: "foreignAddress", service, address: pin.address };

const EVENTS = `## Events

| reason | type | when |
| --- | --- | --- |
| \`IPAllocated\` | Normal | a Service was given addresses; the note names them and their pool |
| \`ClearAssignment\` | Normal | addresses were taken off a Service; the note says why where it is left without any |
| \`AllocationFailed\` | Warning | a Service does not have what it asks for; the note is the sentence |
| \`LoadBalancerFailed\` | Warning | the same, where the request itself is wrong and the Service goes on with the address that it has |
| \`deprecatedAnnotation\` | Warning | a Service with an annotation under MetalLB's old prefix was given addresses |
`;

type Named = readonly [kind: string, entry: Entry<Refusal>];

const chapter = (heading: string, entries: readonly Named[]): string =>
  `## ${heading}\n\n${entries.map(([kind, entry]) => section(kind, entry)).join("\n")}`;

const isOfAdvertisement = ([, { examples }]: Named): boolean => "advertisement" in (examples[0] ?? {});

/** The whole page, before formatting. */
export function messagesPage(): string {
  const others: readonly Named[] = Object.entries(aboutPools);
  return [
    INTRODUCTION,
    chapter("Services", Object.entries(aboutServices)),
    chapter(
      "Pools",
      others.filter((entry) => !isOfAdvertisement(entry)),
    ),
    chapter("Advertisements", others.filter(isOfAdvertisement)),
    chapter("BGP", Object.entries(aboutBgp)),
    `## Notes

Printed as Warnings; the Service is admitted.

\`\`\`text
${NOTES.map((note) => `Warning: ${explainNote(note)}`).join("\n")}
\`\`\`

Denied, since a Service that can't be served as it asks goes on with the addresses that it has, and would not with this change:

\`\`\`text
${LOSES.map(explainNote).join("\n")}
\`\`\`

Denied, since an annotation of Berth's own was forged after Berth had written it:

\`\`\`text
${explainNote(FORGED)}
\`\`\`
`,
    EVENTS,
  ].join("\n");
}
