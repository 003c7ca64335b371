
'use strict';
{
  const form = document.getElementById('picker'), cases = document.getElementById('cases');
  if (form !== null) {
    const workload = document.getElementById('pick-workload'), size = document.getElementById('pick-size');
    const all = [...cases.children];
    const option = (text) => Object.assign(document.createElement('option'), { textContent: text, value: text });
    const sizes = () => [...all[workload.selectedIndex].querySelectorAll('.case')];
    const show = () => document.getElementById('picked').replaceChildren(sizes()[size.selectedIndex].cloneNode(true));
    // Another workload keeps the size where it has it, else the largest.
    const fill = () => {
      const before = size.value, names = sizes().map((each) => each.dataset.size);
      size.replaceChildren(...names.map(option));
      size.selectedIndex = names.includes(before) ? names.indexOf(before) : names.length - 1;
      show();
    };
    workload.replaceChildren(...all.map((each) => option(each.dataset.workload)));
    workload.addEventListener('change', fill);
    size.addEventListener('change', show);
    fill();
    form.hidden = false;
    cases.hidden = true;
  }
}
