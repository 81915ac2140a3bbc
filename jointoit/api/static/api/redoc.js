"use strict";

// ReDoc's footer asks a server of its own for a logo, by attribute and by property. It gets our icon instead.
const icon = document.currentScript.dataset.icon;
const ours = (address) => (new URL(address, location.href).origin === location.origin ? address : icon);
const image = HTMLImageElement.prototype;
const source = Object.getOwnPropertyDescriptor(image, "src");

Object.defineProperty(image, "src", {
  ...source,
  set(address) {
    source.set.call(this, ours(address));
  },
});
image.setAttribute = function (name, value) {
  Element.prototype.setAttribute.call(this, name, name === "src" ? ours(value) : value);
};
