// One sample at a time, the one that the slider chooses. Without this script, all of them are there.
const samples = document.querySelectorAll('.sample');
const slider = document.querySelector('#epoch');
function show() {
  samples.forEach((sample, i) => { sample.hidden = i !== Number(slider.value); });
  const epoch = samples[slider.value].dataset.epoch;
  slider.setAttribute('aria-valuetext', `epoch ${epoch}`);
  document.querySelector('.slider output').value = epoch;
}
if (samples.length > 1) {
  document.querySelector('.slider').hidden = false;
  document.querySelectorAll('.sample figcaption').forEach(caption => { caption.hidden = true; });
  slider.addEventListener('input', show);
  show();
}
