// Scanning a receiving code: a photograph or a screenshot, made small here, read by the server, kept nowhere.

import { api } from "./api.js";
import { byId, newId } from "./dom.js";

const SIDE_MAX = 2000;
const BYTES_MAX = 4 * 1024 * 1024;
const PAY = /^[bcdfghjklmnpqrstwxyz]{26}$/;

/** Lets the visitor choose a picture; `busy(on)` while it is read, `notice(text)` when it is refused. */
export function wireScan({ busy, notice }) {
  const field = byId("scan-file");
  field.addEventListener("change", async () => {
    const [file] = field.files;
    field.value = "";
    if (!file) return;
    busy(true);
    try {
      const picture = await smaller(file);
      if (picture.size > BYTES_MAX) notice("图片太大了，请换一张4MB以内的。");
      else await api.scan(picture, newId());
    } catch (error) {
      notice(error.text ?? "这张图片打不开，请换一张再试。");
    } finally {
      busy(false);
    }
  });
  return () => field.click();
}

/** The picture as JPEG, no side longer than needed; what the browser cannot open goes as it is. */
async function smaller(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return file;
  const part = Math.min(1, SIDE_MAX / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * part));
  canvas.height = Math.max(1, Math.round(image.height * part));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return (await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9))) ?? file;
}

/** The code in the address the page was opened with, told as a scan would be; taken out of the address, so once. */
export function takeLink() {
  const address = new URL(location.href);
  const token = address.searchParams.get("pay");
  if (token === null) return null;
  address.searchParams.delete("pay");
  history.replaceState(null, "", address);
  return PAY.test(token) ? `[收款码]${token}` : null;
}
