/** What the dashboards are put together from: queries, panels and a frame, so that all look and read alike. */
import { PanelBuilder as BarGaugePanel } from "@grafana/grafana-foundation-sdk/bargauge";
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  AxisPlacement,
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ReduceDataOptionsBuilder,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapPanel,
  HeatmapTooltipBuilder,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatPanel } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesPanel } from "@grafana/grafana-foundation-sdk/timeseries";

/** Whichever Prometheus the person looking has chosen. */
export const DATASOURCE = { type: "prometheus", uid: "$datasource" };

/** A PromQL expression and the legend of its series, in which `{{label}}` stands for a label's value. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface PanelText {
  readonly title: string;
  /** What it shows and what to make of it. */
  readonly description: string;
  /** What it looks like when all is well, behind `Normal:`. */
  readonly normal: string;
  /** One of Grafana's unit ids. */
  readonly unit: string;
  /** Of the 24 columns. */
  readonly width: number;
}

/** What the builders of all kinds of panels have. */
interface AnyPanel {
  title(text: string): this;
  description(text: string): this;
  datasource(of: typeof DATASOURCE): this;
  span(columns: number): this;
  height(rows: number): this;
}

function framed<P extends AnyPanel>(panel: P, { title, description, normal, width }: PanelText, height: number): P {
  const whole = `${description}\n\n**Normal:** ${normal}`;
  return panel.title(title).description(whole).datasource(DATASOURCE).span(width).height(height);
}

export interface GraphStyle {
  readonly logarithmic?: boolean;
  /** Series lie on top of each other and fill the area. */
  readonly stacked?: boolean;
  /** Values hold until the next one: counts and states. */
  readonly steps?: boolean;
  readonly bars?: boolean;
  /** Series are steps of one scale: colours run from blue to purple. */
  readonly ordered?: boolean;
  readonly min?: number;
  readonly max?: number;
}

const GRAPH_HEIGHT = 8;
const STAT_HEIGHT = 4;

export function graph(text: PanelText, queries: readonly Query[], style: GraphStyle = {}): Builder<Panel> {
  const panel = framed(new TimeseriesPanel(), text, GRAPH_HEIGHT)
    .unit(text.unit)
    .targets(targetsOf(queries))
    .drawStyle(style.bars === true ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineWidth(style.bars === true ? 0 : 2)
    .lineInterpolation(style.steps === true ? LineInterpolation.StepAfter : LineInterpolation.Linear)
    .fillOpacity(style.bars === true ? 80 : style.stacked === true ? 50 : 8)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .colorScheme(
      new FieldColorBuilder().mode(style.ordered ? FieldColorModeId.ContinuousBlPu : FieldColorModeId.PaletteClassic),
    )
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull"]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (style.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  if (style.logarithmic === true) {
    panel.scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10));
  }
  if (style.min !== undefined) panel.min(style.min);
  if (style.max !== undefined) panel.max(style.max);
  return panel;
}

export interface StatStyle {
  /** Colours from these values on; the first step's value is null. */
  readonly thresholds?: readonly Threshold[];
  /** Shows each series' name beside its value. */
  readonly named?: boolean;
  readonly decimals?: number;
}

/** One number, with its recent course behind it. */
export function stat(text: PanelText, queries: readonly Query[], style: StatStyle = {}): Builder<Panel> {
  const steps = style.thresholds ?? [{ value: null, color: "blue" }];
  const panel = framed(new StatPanel(), text, STAT_HEIGHT)
    .unit(text.unit)
    .targets(targetsOf(queries))
    .noValue("–")
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .textMode(style.named === true ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  return style.decimals === undefined ? panel : panel.decimals(style.decimals);
}

/** Buckets of a Prometheus histogram over time. */
export function heatmap(text: PanelText, query: Query): Builder<Panel> {
  return framed(new HeatmapPanel(), text, GRAPH_HEIGHT)
    .withTarget(target(query, 0).format(PromQueryFormat.Heatmap))
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme("Viridis").exponent(0.5).steps(64))
    .yAxis(new YAxisConfigBuilder().unit(text.unit).axisPlacement(AxisPlacement.Left))
    .cellGap(1)
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true));
}

/** The newest values, the largest first: a line for each series. */
export function ranking(text: PanelText, query: Query): Builder<Panel> {
  return framed(new BarGaugePanel(), text, GRAPH_HEIGHT)
    .unit(text.unit)
    .withTarget(asked(query, 0).instant())
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .min(0)
    .noValue("–")
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor("blue"));
}

/** Selects the series of the run that the person looking has chosen. */
export const RUN = 'run="$run"';

/** The workers of a run by what the coordinator thinks of them. */
export function workersByState(width: number): Builder<Panel> {
  return graph(
    {
      title: "Workers by state",
      description: "As the coordinator sees them.",
      normal: "active alone; draining for seconds when workers are told to leave.",
      unit: "none",
      width,
    },
    [{ expr: `mzsr_workers{${RUN}}`, legend: "{{state}}" }],
    { stacked: true, steps: true, min: 0 },
  );
}

/** How a share of leases that came to nothing is shown. */
export const SHARE_IN_VAIN: StatStyle = {
  decimals: 1,
  thresholds: [
    { value: null, color: "green" },
    { value: 0.1, color: "orange" },
    { value: 0.3, color: "red" },
  ],
};

/** Colours of a number that ought to be zero. */
export const ZERO_IS_GOOD: readonly Threshold[] = [
  { value: null, color: "green" },
  { value: 1, color: "red" },
];

function targetsOf(queries: readonly Query[]): Builder<Dataquery>[] {
  return queries.map((query, i) => target(query, i));
}

function target(query: Query, index: number): DataqueryBuilder {
  return asked(query, index).range();
}

function asked({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode("A".charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend);
}
