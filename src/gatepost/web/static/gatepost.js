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
