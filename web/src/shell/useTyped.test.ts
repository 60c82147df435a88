import { cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { useNoEscape, useTyped } from "./useTyped";

afterEach(() => {
  cleanup();
  document.body.innerHTML = "";
});

it("knows of what is typed until the page changes", () => {
  const { result, rerender } = renderHook(({ path }) => useTyped(path), { initialProps: { path: "/projects" } });
  expect(result.current()).toBe(false);
  document.body.dispatchEvent(new Event("input", { bubbles: true }));
  expect(result.current()).toBe(true);
  rerender({ path: "/clusters" });
  expect(result.current()).toBe(false);
});

it("takes an open dialog for something to lose", () => {
  const { result } = renderHook(() => useTyped("/projects"));
  document.body.innerHTML = '<section role="dialog"></section>';
  expect(result.current()).toBe(true);
});

it("keeps Escape from the dialogs only while it is on", () => {
  const { rerender } = renderHook(({ on }) => useNoEscape(on), { initialProps: { on: false } });
  const dialog = vi.fn();
  window.addEventListener("keydown", dialog, true);
  const press = (key: string) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("Escape");
  expect(dialog).toHaveBeenCalledTimes(1);
  rerender({ on: true });
  press("Escape");
  expect(dialog).toHaveBeenCalledTimes(1);
  press("Tab");
  expect(dialog).toHaveBeenCalledTimes(2);
  window.removeEventListener("keydown", dialog, true);
});
