/** Why figures are what they are, and what a requester or an operator sets: the plan, people, attributes, gold. */
export const quality: Record<string, string> = {
  'A person decided this, after the judgements.': '在各条判断之后由人裁定。',
  'above 30 %: mend the guideline': '高于 30 %：请修订标注指南',
  'against it, {times} times': '反对，{times} 倍',
  'all others': '其余各类',
  'All {count} tasks are settled: this is what they would take if begun again. From {basis}.':
    '{count} 个任务已全部定案：此为重新开始所需的估算。依据：{basis}。',
  'An audit of about {count} would certify it.': '约抽检 {count} 条即可认证。',
  'Claimed against observed, from {total} tasks with a known answer. On the line, a claim is as good as it says; a larger dot stands for more tasks.':
    '声称值与实测值对比，取自 {total} 个答案已知的任务。落在对角线上表示名副其实；点越大，任务越多。',
  'claimed, %': '声称值，%',
  'computed again: same': '重新计算：一致',
  'computed again: {again}, stored: {stored}': '重新计算：{again}，存储值：{stored}',
  estimate: '估算',
  'For an adjudicator': '需仲裁',
  'for it, {times} times likelier': '支持，可能性为 {times} 倍',
  'For the {count} tasks that are not settled. From {basis}.': '针对尚未定案的 {count} 个任务。依据：{basis}。',
  'given one vote is wrong, how often another person repeats the same wrong label':
    '一人判断出错时，另一人给出同一错误标签的比例',
  'How likely each label is': '各标签的后验概率',
  'How likely each label is. The line: settles at {threshold}.': '各标签的后验概率。竖线：达到 {threshold} 即定案。',
  'Labels of this kind are merged, not weighed by class: there is nothing to compute again.':
    '此类标签由合并得出，不按类别加权，无需重新计算。',
  'Look through more tasks': '继续查找',
  'Mistakes repeated': '重复错误率',
  no: '否',
  'Open dots and bars are estimates with their intervals. The solid mark is what an audit has certified.':
    '空心点与竖条为估算及其区间；实心标记为抽检认证的结果。',
  'out of reach: mend the guidelines, or let more people judge': '无法达到：请修订标注指南，或增加判断人数',
  'People are misled alike, so one more of the same counts for less: evidence is discounted by rho = {rho}.':
    '人们会被同样的情形误导，重复的相同判断因此折减：证据按 rho = {rho} 折扣。',
  'posterior, %': '后验概率，%',
  Reachable: '能否达到',
  'right, %': '正确率，%',
  'Rows: the settled label. Columns: what was judged. Colour: mistakes. A figure opens the row’s tasks.':
    '行：定案标签；列：所作判断；颜色：错误。点击数字查看该行任务。',
  'settled as {label}': '定案为 {label}',
  'Show every label': '显示全部标签',
  'target {target}': '目标 {target}',
  'What each judgement weighed': '每条判断的证据权重',
  'What each judgement weighed, for the label over the next likeliest': '每条判断的证据权重：该标签相对于次可能标签',
  'What if you asked for more, or less?': '如果提高或降低要求？',
  'Why this label': '为何是这个标签',
  'within reach': '可以达到',
  yes: '是',
  '{above} of {total} tasks are at least {target} sure. A task may settle below: the target is for all of them together. Columns are of equal width, their ranges are not; heights grow with the square root.':
    '{total} 个任务中有 {above} 个的后验概率不低于 {target}。单个任务可低于目标定案：目标针对全部任务。各柱等宽，区间不等；高度按平方根缩放。',
  '{count} found among the first {loaded}': '前 {loaded} 个任务中找到 {count} 个',
  '{count} judgements said {said} of tasks settled as {settled}': '定案为 {settled} 的任务中有 {count} 条判断为 {said}',
  '{method}, model {version}': '{method}，模型第 {version} 版',
};
