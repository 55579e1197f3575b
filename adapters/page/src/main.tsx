import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isPassing } from "./api/client";
import { Shell } from "./shell/Shell";
import "./styles/index.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Each question is recorded in the trail: none is asked twice without need.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 3 && isPassing(error),
    },
  },
});

const root = document.getElementById("page");
if (root === null) throw new Error("the document has no place for the page");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Shell />
    </QueryClientProvider>
  </StrictMode>,
);
