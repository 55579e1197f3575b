import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  // The page speaks English; its controls would bring thirty more languages along.
  plugins: [react(), { ...optimizeLocales.vite({ locales: ["en-US"] }), enforce: "pre" }],
  build: {
    // Every file is fetched by name: the page's policy allows no script or style in the document, nor data in an address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
