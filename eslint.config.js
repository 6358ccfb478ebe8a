import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const typescript = ["**/*.ts"];

/** What makes a value depend on when and where it was made: not in core. */
const impure = [
  { selector: "ThrowStatement", message: "core never throws: return err(…)." },
  { selector: "AwaitExpression", message: "core is synchronous." },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: "Time is an argument." },
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: "Time is an argument." },
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: "Chance is an argument." },
];

/** Memory is never the truth: one bundle runs as three processes. */
const moduleState = [
  { selector: "Program > VariableDeclaration[kind='let']", message: "No module state: make it a field." },
  {
    selector:
      "Program > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap)$/][arguments.length=0]",
    message: "No module state: make it a field.",
  },
];

const language = [
  { selector: "TSEnumDeclaration", message: "Use a union of string literals." },
  {
    selector: "TSAsExpression:not([typeAnnotation.typeName.name='const'])",
    message: "Only `as const`: let the compiler prove it.",
  },
];

export default defineConfig(
  { ignores: ["dist/**", "cluster/generated/**", "announcer/**", "node_modules/**"] },
  js.configs.recommended,
  {
    files: typescript,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ["error", 10],
      "max-depth": ["error", 3],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 50, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 4],
      "@typescript-eslint/consistent-type-definitions": ["error", "type"],
      "@typescript-eslint/consistent-type-imports": "off",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "no-restricted-syntax": ["error", ...language, ...moduleState],
    },
  },
  {
    files: ["core/**/*.ts"],
    rules: {
      "no-restricted-syntax": ["error", ...language, ...moduleState, ...impure],
      "no-restricted-globals": [
        "error",
        "process",
        "fetch",
        "setTimeout",
        "setInterval",
        "setImmediate",
        "performance",
      ],
    },
  },
  // The calls of the API are an interface, so that tests give a store in memory the same face.
  { files: ["cluster/api.ts"], rules: { "@typescript-eslint/consistent-type-definitions": "off" } },
  {
    files: ["tests/**/*.ts", "hack/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "no-restricted-syntax": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-misused-spread": "off",
    },
  },
  { files: ["*.js", "*.cjs"], languageOptions: { globals: { module: "writable" } } },
);
