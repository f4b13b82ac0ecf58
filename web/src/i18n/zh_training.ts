/** Training: what a worker is told, and what a requester sets. */
export const training: Record<string, string> = {
  Training: '培训',
  'Review: leave what is right as it is, fix what is not': '复核：正确的保持原样，不正确的加以修改',
  'Begin the training': '开始培训',
  'Training passed: the project itself is open to you.': '培训已通过：项目已向你开放。',
  'Training first, paid the same: {needed} of your last {counted} answers right, and the project opens.':
    '先培训，报酬相同：最近 {counted} 个回答中答对 {needed} 个，项目即开放。',
  'You have answered all {tasks} training tasks. More will come; you are not barred.':
    '你已完成全部 {tasks} 个培训任务。之后还会有新的；你并未被排除。',
  '{right} of your last {seen} answers are right. With {needed} of {counted} the project opens.':
    '最近 {seen} 个回答中答对 {right} 个。{counted} 个中答对 {needed} 个，项目即开放。',
  '{right} right of {seen} answered; {needed} needed': '已答 {seen} 个，答对 {right} 个；需答对 {needed} 个',
  right: '正确',
  'not right': '不正确',
  'You said': '你的回答',
  'Right is': '正确答案',
  '{right} of {count} right': '{count} 个中答对 {right} 个',
  '{sum} paid for this page; right or not, it is yours.': '本页已支付 {sum}；无论对错都归你。',
  'To the project': '前往项目',
  'Next page': '下一页',
  'Gold and training': '金标与培训',
  Passed: '已通过',
  '{count} under way': '{count} 人进行中',
  'Answers right': '回答正确',
  'Budget for training': '培训预算',
  'Training is paid like the project, passed or not.': '培训与项目同酬，无论是否通过。',
  'Open the training': '开放培训',
  'The training as a project of its own: budget, pause, answers': '作为独立项目查看培训：预算、暂停、回答',
  'Newcomers meet these first, are told after each page what was right, and see the project once enough of their last ten answers were.':
    '新人先做这些任务，每页之后会得知正确答案；最近十个回答中答对足够多，项目即开放。',
  'What newcomers learn from': '新人学习用的答案',
  'One a line: ref,label. An item that is taught with is no longer labelled.':
    '每行一条：ref,label。用于培训的条目不再标注。',
  'Right of the last ten, to pass': '最近十个中须答对的比例',
  'Add to the training': '加入培训',
  'Make a training of them': '用它们建立培训',
};
