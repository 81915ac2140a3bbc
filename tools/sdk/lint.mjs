// Judges an OpenAPI document by Redocly's rules, without a network: node lint.mjs FILE
import { createConfig, formatProblems, getTotals, lint } from "@redocly/openapi-core";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    "info-contact": "off",
    "no-path-trailing-slash": "off", // every path of ours ends in one, by contract
    "no-server-example.com": "error",
    "no-ambiguous-paths": "error",
    "no-invalid-media-type-examples": "error",
    "no-invalid-schema-examples": "error",
    "no-http-verbs-in-paths": "off", // "register" is no verb of HTTP
    "operation-4xx-problem-details-rfc7807": "error",
    "operation-operationId-unique": "error",
    "operation-operationId-url-safe": "error",
    "operation-singular-tag": "error",
    "path-declaration-must-exist": "error",
    "path-segment-plural": "off",
    "required-string-property-missing-min-length": "off",
    "tag-description": "error",
  },
});
const problems = await lint({ ref: process.argv[2], config });
const { errors, warnings } = getTotals(problems);
formatProblems(problems, { format: "codeframe", totals: { errors, warnings, ignored: 0 }, version: "1", maxProblems: 50 });
process.exit(errors + warnings ? 1 : 0);
