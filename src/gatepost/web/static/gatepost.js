// Small comforts. Every page can be read and every form posted without this file.
"use strict";

// Put a merge field where the cursor is: <button data-put="{{ first_name }}" data-into="#id">.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-put]");
  if (!button) return;
  const field = document.querySelector(button.dataset.into);
  field.setRangeText(button.dataset.put, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// Copy a text: <button data-copy="#id">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const from = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(from.value ?? from.textContent);
  button.textContent = button.dataset.copied;
});

// Tick a whole list: <input type="checkbox" data-all="name">.
document.addEventListener("change", (event) => {
  const name = event.target.dataset.all;
  if (!name) return;
  for (const box of event.target.form.elements) if (box.name === name) box.checked = event.target.checked;
});

// Press the button of a form that only waits for being shown: <form data-press>.
const press = () => document.querySelector("form[data-press]")?.requestSubmit();
press();
document.addEventListener("htmx:afterSettle", press);

// What stands in a form is lost when the page is left by mistake.
let touched = false;
document.addEventListener("input", (event) => { touched ||= Boolean(event.target.closest("form[data-keep]")); });
document.addEventListener("submit", () => { touched = false; });
window.addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });

// Keys. <button data-key="e"> is pressed by e, a field with data-key is gone to; <tr data-row> is chosen with j and k, and
// data-row-key is pressed for the row that is chosen. <button data-dialog="#id"> opens a list of them.
const rows = () => [...document.querySelectorAll("tr[data-row]")];
const chosen = () => document.activeElement.closest("tr[data-row]");
const choose = (place) => rows().at(Math.max(0, Math.min(place, rows().length - 1)))?.querySelector("a")?.focus();

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-dialog]");
  if (button) document.querySelector(button.dataset.dialog).showModal();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const row = chosen();
  if (event.key === "j" || event.key === "k") {
    choose(row ? rows().indexOf(row) + (event.key === "j" ? 1 : -1) : 0);
    return;
  }
  if (event.key.length !== 1) return;
  const name = CSS.escape(event.key);
  const target = row?.querySelector(`[data-row-key="${name}"]`) ?? document.querySelector(`[data-key="${name}"]`);
  if (!target || target.disabled) return;
  event.preventDefault();
  if (target.dataset.rowKey) sessionStorage.setItem("row", rows().indexOf(row));
  if (target.matches("select, textarea, input")) target.focus();
  else target.click();
});

// After a change the row that followed is chosen.
if (sessionStorage.getItem("row") !== null && rows().length) choose(Number(sessionStorage.getItem("row")));
sessionStorage.removeItem("row");
