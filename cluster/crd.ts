/** The one door to the types made from manifests/crds. Touches nothing. */
export { IPAddressPool } from "./generated/ipaddresspool-v1beta1.ts";
export { L2Advertisement } from "./generated/l2advertisement-v1beta1.ts";
export { ServiceL2Status } from "./generated/servicel2status-v1beta1.ts";
