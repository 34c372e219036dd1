"""The annotators' and operators' pages: TypeScript in `src`, built into `dist`, which the service serves."""
