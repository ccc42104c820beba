// Names for the generated API types, so that the rest of the UI need not know how they are generated.
import type { components as StatsComponents } from './stats.gen';
import type { components } from './tasks.gen';

type Schemas = components['schemas'];

export type Task = Schemas['Task'];
export type Card = Schemas['Card'];
export type Board = Schemas['Board'];
export type TaskPage = Schemas['TaskPage'];
export type TaskNew = Schemas['TaskNew'];
export type TaskPatch = Schemas['TaskPatch'];
export type TaskMove = Schemas['TaskMove'];
export type BulkChange = Schemas['BulkChange'];
export type TaskDetails = Schemas['TaskDetails'];
export type TaskComment = Schemas['Comment'];
export type Relation = Schemas['Relation'];
export type RelationKind = Schemas['RelationKind'];
export type TaskEvent = Schemas['Event'];
export type Change = Schemas['Change'];
export type Project = Schemas['Project'];
export type ProjectNew = Schemas['ProjectNew'];
export type State = Schemas['State'];
export type Category = Schemas['Category'];
export type Label = Schemas['Label'];
export type Role = Schemas['Role'];
export type Person = Schemas['Person'];
export type Me = Schemas['Me'];
export type View = Schemas['View'];
export type Problem = Schemas['Problem'];
export type QuickParsed = Schemas['QuickParsed'];
export type ImportReport = Schemas['ImportReport'];
export type ImportProgress = Schemas['ImportProgress'];
export type Priority = 0 | 1 | 2 | 3 | 4;

type Stats = StatsComponents['schemas'];
export type Summary = Stats['Summary'];
export type Throughput = Stats['Throughput'];
export type Times = Stats['Times'];
export type Flow = Stats['Flow'];
export type Ageing = Stats['Ageing'];
export type Overdue = Stats['Overdue'];
export type Burnup = Stats['Burnup'];
export type Forecast = Stats['Forecast'];
export type Distribution = Stats['Distribution'];
export type StreamState = Stats['StreamState'];
