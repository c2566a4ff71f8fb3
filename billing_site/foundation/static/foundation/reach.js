// What is only there for eyes and mice is told to keyboards and screen readers, too.
"use strict";

function reachScrolled() {
  for (const box of document.querySelectorAll(".house-scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// select2 puts a box of its own in the place of a field, and leaves the field's label behind.
function nameSelects() {
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = select.labels[0];
    const box = select.nextElementSibling?.querySelector(".select2-selection");
    const shown = box?.querySelector(".select2-selection__rendered");
    if (!label || !shown) continue;
    label.id ||= `${select.id}-label`;
    box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
    shown.setAttribute("aria-labelledby", label.id);
  }
}

// Django's boxes of two lists say what their filter is for beside it, on what has no role that could be named.
function nameFilters() {
  for (const icon of document.querySelectorAll(".search-label-icon[aria-label]")) icon.setAttribute("role", "img");
}

// A menu closes by Escape, which gives the focus back, and by what is done elsewhere.
function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.house-more[open]")) {
    if (event.type === "keydown" ? event.key !== "Escape" : menu.contains(event.target)) continue;
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (event.type === "keydown" && hadFocus) menu.querySelector("summary").focus();
  }
}
for (const type of ["keydown", "click", "focusin"]) document.addEventListener(type, closeMenus);

window.addEventListener("load", () => {
  reachScrolled();
  setTimeout(nameFilters); // Django makes its boxes as this page is loaded, too, and is told of it after this
  window.django?.jQuery?.(nameSelects); // after what is ready with jQuery, and that is later than this
});
window.addEventListener("resize", reachScrolled);
