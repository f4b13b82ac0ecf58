/** The guideline queue: where experts disagree, and how a guideline is mended. */
export const guideline: Record<string, string> = {
  'Version {version} is kept': '第 {version} 版已保存',
  'Contributors read version {version} on every page they claim from now on.':
    '从现在起，贡献者每次领取新一页时读到的都是第 {version} 版。',
  'This project still shows version {version}. What was judged by it stays as it is.':
    '本项目目前仍显示第 {version} 版。按它作出的判断保持不变。',
  'Use it in this project': '在本项目中使用',
  'New project with version {version}': '用第 {version} 版新建项目',
  'Back to the queue': '返回疑例列表',
  'This project works by version {current}; you edit the newest, {newest}.':
    '本项目使用第 {current} 版；你编辑的是最新的第 {newest} 版。',
  'Keep as version {version}': '保存为第 {version} 版',
  'Edit the guideline': '修订标注规范',
  '{undecided} of {verdicts, plural, one {# expert} other {# experts}} could not decide':
    '{verdicts} 位专家中有 {undecided} 位无法判定',
  'experts disagree': '专家意见不一',
  'Experts said': '专家的裁定',
  'nothing they could decide': '均无法判定',
  'Contributors said': '标注员的判断',
  'nothing yet': '尚无',
  'Last looked at': '最近查看于',
  or: '或',
  'Write a rule about {name}': '为 {name} 写一条规则',
  'Write a rule': '写一条规则',
  'Decide again: {name}': '重新裁定：{name}',
  'Decide again': '重新裁定',
  'What they mix up': '容易混淆的标签',
  'Both were said of the same task, by experts or contributors. Choose a pair to see its cases only.':
    '专家或标注员对同一任务给出过这两个标签。选择一对即只看相应疑例。',
  'Where the guideline is silent': '标注规范的空白之处',
  'Tasks that experts could not decide, or decided differently. More judgements do not help here; a clearer rule does.':
    '专家无法判定或意见不一的任务。此处增加判断没有用，需要更明确的规则。',
  'The guideline has an answer for everything so far': '目前标注规范对每种情形都有答案',
  'A task comes here when an adjudicator or auditor says that nobody could decide it, or when two of them decide it differently.':
    '当仲裁者或抽检者认为任务无人能判定，或两人裁定不同时，任务会出现在这里。',
  '{count} shown; there are more': '已显示 {count} 个；还有更多',
  '{count, plural, one {# case} other {# cases}}': '{count} 个疑例',
  'From {name}, version {version}': '取自 {name} 第 {version} 版',
  'Write others instead': '改为另写',
  'Labels and guideline of {name}, version {version}.': '标签与标注规范取自 {name} 第 {version} 版。',
};
