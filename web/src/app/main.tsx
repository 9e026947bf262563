import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@/ui/base.css";
import { TooltipLayer } from "@/ui/Tooltip";
import { ToastLayer } from "@/ui/toast";
import { queryClient } from "./queryClient";
import { router } from "./router";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <ToastLayer />
      <TooltipLayer />
    </QueryClientProvider>
  </StrictMode>,
);
