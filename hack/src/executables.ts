/** Where this machine has programs. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** The first executable file of that name in these folders. */
export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** KUBEBUILDER_ASSETS, when set, and the folders of PATH. */
export function installedFolders(): readonly string[] {
  const folders = [process.env["KUBEBUILDER_ASSETS"] ?? "", ...(process.env["PATH"] ?? "").split(":")];
  return folders.filter(Boolean);
}
