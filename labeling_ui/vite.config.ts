import { defineConfig } from "vite";

// A relative base lets the built pages be served under any path.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    rollupOptions: { input: ["index.html", "docs.html"] },
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8000" } },
});
