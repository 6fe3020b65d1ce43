"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const moments = JSON.parse(find("moments").textContent);
  const video = find("video"), player = find("player"), lanes = find("lanes"), cursor = find("cursor");
  const slider = find("time");
  let now = 0;

  // The last frame that began by a time in seconds; half a millisecond for the rounding of times.
  const frameAt = (seconds) => {
    let low = 0, high = moments.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (moments.times[middle] <= 1000 * seconds + 1) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const segmentAt = (seconds) => {
    let text = "";
    for (const each of moments.segments) {
      if (each.start > 1000 * seconds + 1) break;
      text = each.text;
    }
    return text;
  };
  const fateOf = (frame) => moments.words[moments.fates[frame]] || ["unknown", "what became of it is not known"];

  const show = (seconds) => {
    now = seconds;
    const frame = frameAt(seconds);
    if (lanes) {
      cursor.hidden = false;
      cursor.style.left = `${100 * Math.min(1, seconds / moments.end)}%`;
    }
    if (slider && document.activeElement !== slider) slider.value = String(seconds);
    if (frame < 0) return;
    const [fate, meaning] = fateOf(frame);
    const values = moments.measures.filter((each) => each.values[frame] !== null)
      .map((each) => `${each.name} ${each.values[frame]} ${each.unit}`.trim());
    const cause = moments.causes[moments.cause[frame]];
    const why = cause ? ` (${cause})` : "";
    const text = [`${seconds.toFixed(2)} s, frame ${frame}: ${meaning}${why}`, segmentAt(seconds), values.join(", ")];
    const line = text.filter(Boolean).join("; ");
    if (slider) slider.setAttribute("aria-valuetext", `${line} (${fate})`);
    if (!player) return;
    player.dataset.fate = fate;
    find("chip").textContent = fate;
    find("words").textContent = line;
  };

  const seek = (seconds) => {
    const to = Math.max(0, Math.min(seconds, moments.end));
    if (video) video.currentTime = Math.min(to + 0.0005, Math.max(0, (video.duration || to + 1) - 0.001));
    show(to);
  };

  const byFrame = (step) => {
    const frame = Math.max(0, Math.min(frameAt(now) + step, moments.times.length - 1));
    if (video) video.pause();
    if (moments.times.length) seek(moments.times[frame] / 1000);
  };
  const nextDamage = () => {
    const count = moments.fates.length;
    let frame = frameAt(now);
    for (let k = 0; k < count && moments.fates[frame] !== "0"; k++) frame = (frame + 1) % count;
    for (let k = 0; k < count && moments.fates[frame] === "0"; k++) frame = (frame + 1) % count;
    if (count && moments.fates[frame] !== "0") {
      if (video) video.pause();
      seek(moments.times[frame] / 1000);
    }
  };

  if (video) {
    const hasFrames = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    const follow = (_, data) => {
      show(data.mediaTime);
      video.requestVideoFrameCallback(follow);
    };
    if (hasFrames) video.requestVideoFrameCallback(follow);
    else video.addEventListener("timeupdate", () => show(video.currentTime));
    const caption = find("caption");
    video.addEventListener("pause", () => caption.setAttribute("aria-live", "polite"));
    video.addEventListener("play", () => caption.removeAttribute("aria-live"));
    // Some browsers play no film from a data: address, but the same bytes as a blob.
    video.addEventListener("error", () => {
      if (!video.src.startsWith("data:")) return;
      const bytes = Uint8Array.from(atob(video.src.slice(video.src.indexOf(",") + 1)), (c) => c.charCodeAt(0));
      video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
    });
    find("steps").hidden = false;
    find("back").addEventListener("click", () => byFrame(-1));
    find("forward").addEventListener("click", () => byFrame(1));
    find("damage").addEventListener("click", nextDamage);
    find("damage").disabled = /^0*$/.test(moments.fates);
    const brighten = find("brighten");
    if (brighten) {
      brighten.addEventListener("change", () => {
        for (const each of document.querySelectorAll(".player, .stills")) each.classList.toggle("bright", brighten.checked);
      });
    }
  }
  if (lanes) {
    find("slide").hidden = false;
    slider.addEventListener("input", () => seek(Number(slider.value)));
    const place = (event) => {
      const box = lanes.getBoundingClientRect();
      seek(moments.end * (event.clientX - box.left) / box.width);
    };
    lanes.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("figcaption")) return;
      place(event);
      if (event.pointerType === "mouse") {
        lanes.setPointerCapture(event.pointerId);
        lanes.addEventListener("pointermove", place);
      }
    });
    for (const end of ["pointerup", "pointercancel"]) {
      lanes.addEventListener(end, () => lanes.removeEventListener("pointermove", place));
    }
  }
  for (const each of document.querySelectorAll(".seek")) {
    each.addEventListener("click", () => {
      seek(Number(each.dataset.time));
      if (player) player.scrollIntoView({ block: "nearest" });
    });
  }
})();
