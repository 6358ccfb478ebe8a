/** The addresses that a Service asks for by annotation or by spec.loadBalancerIP. */
import type { Family } from "../address/address.ts";
import { parseAddress, sameAddress } from "../address/address.ts";
import type { AddressListProblem } from "../address/list.ts";
import { parseAddressList } from "../address/list.ts";
import { keys } from "../keys.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { ServiceName } from "./holder.ts";
import type { RequestRefusal } from "./refusal.ts";
import type { ServiceInput, ServiceRequest } from "./request.ts";

type Pins = Pick<ServiceRequest, "pins" | "pinSource">;

/** The addresses asked for, at most one a family, in the order written; the annotation's source where both name one. */
export function readPins(
  input: ServiceInput,
  service: ServiceName,
  families: readonly Family[],
): Result<Pins, RequestRefusal> {
  const annotated = readAnnotation(input, service);
  if (!annotated.ok) return annotated;
  const specified = readSpec(input, service);
  if (!specified.ok) return specified;
  const [source, pins] = [annotated.value.pinSource, annotated.value.pins];
  const [address] = specified.value.pins;
  if (address === undefined) return checkFamilies(annotated.value, service, families);
  if (pins.length === 0) return checkFamilies(specified.value, service, families);
  if (pins.length > 1 || !pins.every((pin) => sameAddress(pin, address))) {
    return err({ kind: "pinnedTwice", service, source, annotated: pins, specified: address });
  }
  return checkFamilies(annotated.value, service, families);
}

/** The new annotation wins whenever its key exists; an empty one asks for no address. */
function readAnnotation(input: ServiceInput, service: ServiceName): Result<Pins, RequestRefusal> {
  const annotations = input.metadata?.annotations ?? {};
  const source = annotations[keys.pinNew] === undefined ? keys.pinOld : keys.pinNew;
  const pins = parseAddressList(annotations[source] ?? "");
  return pins.ok ? ok({ pins: pins.value, pinSource: source }) : err(toRefusal(pins.error, service, source));
}

function readSpec(input: ServiceInput, service: ServiceName): Result<Pins, RequestRefusal> {
  const [source, text] = [keys.pinSpec, input.spec?.loadBalancerIP ?? ""];
  if (text === "") return ok({ pins: [], pinSource: source });
  const parsed = parseAddress(text);
  if (parsed.ok) return ok({ pins: [parsed.value], pinSource: source });
  return err({ kind: "malformedPin", service, source, text, item: text, problem: parsed.error });
}

function toRefusal(problem: AddressListProblem, service: ServiceName, source: string): RequestRefusal {
  switch (problem.kind) {
    case "hole":
      return { kind: "holeInPins", service, source, text: problem.text };
    case "duplicate":
      return { kind: "duplicatePin", service, source, address: problem.address };
    case "badItem":
      return {
        kind: "malformedPin",
        service,
        source,
        text: problem.text,
        item: problem.item,
        problem: problem.problem,
      };
  }
}

function checkFamilies(
  { pins, pinSource }: Pins,
  service: ServiceName,
  families: readonly Family[],
): Result<Pins, RequestRefusal> {
  for (const address of pins) {
    const { family } = address;
    const addresses = pins.filter((pin) => pin.family === family);
    if (addresses.length > 1) return err({ kind: "twoPinsOfOneFamily", service, source: pinSource, family, addresses });
    if (!families.includes(family))
      return err({ kind: "wrongFamilyPin", service, source: pinSource, address, families });
  }
  return ok({ pins, pinSource });
}
