import { t } from '../i18n/i18n.svelte';
import { go, pathOf, route, setQuery, taskHref, type View } from '../router/router.svelte';
import { change, changeAll, toggleAll, trash } from '../store/actions';
import { focusedTask, openTaskRef, select, selection, targets, toggleSelected } from '../store/selection.svelte';
import { store } from '../store/server.svelte';
import { undo } from '../store/undo.svelte';
import { showDialog } from '../ui/dialogs.svelte';
import { announce, toast } from '../ui/toasts.svelte';
import type { Command } from './commands.svelte';

const view = (name: View) => () => {
  const at = route();
  const project = at.name === 'project' ? at.project : at.name === 'task' ? at.ref.replace(/-\d+$/, '') : '';
  if (project) go(pathOf(project, name));
};
const inProject = () => route().name === 'project' || route().name === 'task';
const aboutTasks = () => targets().length > 0;

/** Commands that work everywhere. Moving the focus (j, k, arrows) belongs to the board and the list. */
export function globalCommands(): Command[] {
  return [
    { id: 'palette', title: 'cmd.palette', group: 'cmd.group.general', keys: 'mod+k', icon: 'command', run: () => showDialog('palette') },
    { id: 'shortcuts', title: 'cmd.shortcuts', group: 'cmd.group.general', keys: '?', icon: 'keyboard', run: () => showDialog('shortcuts') },
    { id: 'undo', title: 'cmd.undo', group: 'cmd.group.general', keys: 'mod+z', icon: 'undo-2', run: () => { if (!undo()) toast({ kind: 'info', text: t('undo.nothing') }); } },
    { id: 'go-board', title: 'cmd.board', group: 'cmd.group.go', keys: 'g b', icon: 'columns-3', when: inProject, run: view('board') },
    { id: 'go-list', title: 'cmd.list', group: 'cmd.group.go', keys: 'g l', icon: 'list', when: inProject, run: view('list') },
    { id: 'go-dashboard', title: 'cmd.dashboard', group: 'cmd.group.go', keys: 'g d', icon: 'chart-line', when: inProject, run: view('dashboard') },
    { id: 'go-projects', title: 'cmd.projects', group: 'cmd.group.go', keys: 'g p', icon: 'layout-dashboard', run: () => go('/') },
    { id: 'go-search', title: 'cmd.search', group: 'cmd.group.go', keys: 'g s', icon: 'search', run: () => go('/search') },
    { id: 'go-operations', title: 'operations.title', group: 'cmd.group.go', keys: 'g o', icon: 'activity', run: () => go('/operations') },
    { id: 'go-traces', title: 'traces.title', group: 'cmd.group.go', keys: 'g r', icon: 'zap', run: () => go('/traces') },
    { id: 'go-trash', title: 'cmd.trash', group: 'cmd.group.go', keys: 'g t', icon: 'trash', when: inProject, run: view('trash') },
    { id: 'go-settings', title: 'cmd.settings', group: 'cmd.group.go', keys: 'g ,', icon: 'settings', when: inProject, run: view('settings') },
    { id: 'new-project', title: 'cmd.newProject', group: 'cmd.group.general', icon: 'folder-plus', run: () => showDialog('project') },
    { id: 'import', title: 'cmd.import', group: 'cmd.group.general', icon: 'upload', when: inProject, run: () => showDialog('import') },
    ...([1, 2, 3, 4, 0] as const).map(
      (priority): Command => ({
        id: `priority-${priority}`, title: `cmd.priority.${priority}`, group: 'cmd.group.task', keys: String(priority), icon: 'flag', when: aboutTasks,
        run: () => {
          const tasks = targets().filter((task) => task.priority !== priority);
          if (tasks.length) changeAll(tasks, { priority });
          announce(t('priority.set', { priority: t(`priority.${priority}`) }));
        },
      }),
    ),
    { id: 'assign-me', title: 'cmd.assignMe', group: 'cmd.group.task', keys: 'i', icon: 'user', when: aboutTasks, run: assignMe },
    { id: 'trash', title: 'cmd.trashTask', group: 'cmd.group.task', keys: '#', icon: 'trash', when: aboutTasks, run: () => { trash(targets()); select([]); } },
    {
      id: 'select', title: 'cmd.select', group: 'cmd.group.task', keys: 'x', icon: 'square-check', when: () => focusedTask() !== null,
      run: () => { toggleSelected(focusedTask()!); announce(t('selected.count', { n: selection().size })); },
    },
    {
      id: 'edit', title: 'cmd.edit', group: 'cmd.group.task', keys: 'e', icon: 'pencil', when: aboutTasks,
      run: () => { const task = targets()[0]!; if (openTaskRef() !== task.key) go(taskHref(task.key)); setQuery({ edit: 'title' }, { replace: true }); },
    },
  ];
}

function assignMe(): void {
  const me = store.me?.person.id;
  if (!me) return;
  const tasks = targets();
  const on = tasks.some((task) => !task.assignees.includes(me));
  if (tasks.length === 1) change(tasks[0]!, { assignees: on ? [...tasks[0]!.assignees, me] : tasks[0]!.assignees.filter((id) => id !== me) });
  else toggleAll(tasks, 'assignees', me, on);
}
