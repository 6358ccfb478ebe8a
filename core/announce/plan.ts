import type { AnnouncementPlan, PlanInput } from "./plan-types.ts";
/** Who may announce each address, and in which order. */
export declare function planAnnouncements(input: PlanInput): AnnouncementPlan;
