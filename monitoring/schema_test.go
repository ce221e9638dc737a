package monitoring

import "encoding/json"

// The fields of dashboards that Grafana 10 to 12 document (kinds/dashboard and the panelcfg.cue of each panel in Grafana's repository), as
// far as ours use them. A field that is not here is unknown to one of these versions, or new here: look it up before adding it.
type (
	grafanaDashboard struct {
		UID, Title, Description, Timezone, Refresh string
		ID                                         *int
		Tags                                       []string
		Editable                                   bool
		GraphTooltip, SchemaVersion, Version       int
		Time                                       struct{ From, To string }
		Templating                                 struct{ List []grafanaVariable }
		Annotations                                struct{ List []grafanaAnnotation }
		Links                                      []grafanaLink
		Panels                                     []grafanaPanel
		Inputs                                     []grafanaInput   `json:"__inputs"`
		Requires                                   []grafanaRequire `json:"__requires"`
		Elements                                   map[string]any   `json:"__elements"`
	}
	grafanaInput   struct{ Name, Label, Description, Type, PluginID, PluginName string }
	grafanaRequire struct{ Type, ID, Name, Version string }
	grafanaSource  struct{ Type, UID string }

	grafanaOption struct {
		Selected    bool
		Text, Value any
	}
	grafanaVariable struct {
		Name, Label, Type, Definition, AllValue, Description, Regex string
		Query                                                       any
		Datasource                                                  *grafanaSource
		Hide, Refresh, Sort                                         int
		Multi, IncludeAll                                           bool
		Options                                                     []grafanaOption
		Current                                                     grafanaOption
	}
	grafanaAnnotation struct {
		Name, Type, IconColor, Expr, Step, TitleFormat, TextFormat, TagKeys, UseValueForTime string
		BuiltIn                                                                              int
		Enable, Hide                                                                         bool
		Datasource                                                                           grafanaSource
	}
	grafanaLink struct {
		Title, Type, Icon, Tooltip, URL                string
		Tags                                           []string
		AsDropdown, TargetBlank, IncludeVars, KeepTime bool
	}

	grafanaPlace struct{ X, Y, W, H int }
	grafanaPanel struct {
		ID                                 int
		Type, Title, Description, Interval string
		Collapsed                          bool
		GridPos                            grafanaPlace
		Datasource                         *grafanaSource
		Panels                             []grafanaPanel
		Targets                            []grafanaQuery
		FieldConfig                        grafanaFields
		Options                            json.RawMessage
		Transformations                    []struct {
			ID      string
			Options struct {
				ExcludeByName map[string]bool
				IndexByName   map[string]int
				RenameByName  map[string]string
			}
		}
	}
	grafanaQuery struct {
		RefID, Expr, LegendFormat, Format string
		Range, Instant, Exemplar          bool
		Datasource                        grafanaSource
	}
	grafanaFields struct {
		Defaults struct {
			Unit, NoValue      string
			Decimals, Min, Max *float64
			Color              struct{ Mode string }
			Custom             json.RawMessage
			Mappings           []struct {
				Type    string
				Options map[string]struct {
					Text, Color string
					Index       int
				}
			}
			Thresholds struct {
				Mode  string
				Steps []struct {
					Color string
					Value *float64
				}
			}
			Links []struct {
				Title, URL  string
				TargetBlank bool
			}
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}

	grafanaReduce struct {
		Calcs  []string
		Fields string
		Values bool
	}
	grafanaLegend struct {
		DisplayMode, Placement string
		Calcs                  []string
		ShowLegend             bool
	}
	grafanaTooltip struct{ Mode, Sort string }
	grafanaHidden  struct{ Legend, Tooltip, Viz bool }
)

// options and custom are what panels of a type have in options and in fieldConfig.defaults.custom.
var grafanaTypes = map[string]struct{ options, custom func() any }{
	"row": {func() any { return &struct{}{} }, func() any { return &struct{}{} }},
	"stat": {func() any {
		return &struct {
			ReduceOptions                                            grafanaReduce
			ColorMode, GraphMode, TextMode, JustifyMode, Orientation string
		}{}
	}, func() any { return &struct{}{} }},
	"bargauge": {func() any {
		return &struct {
			ReduceOptions                       grafanaReduce
			DisplayMode, Orientation, ValueMode string
			ShowUnfilled                        bool
		}{}
	}, func() any { return &struct{}{} }},
	"timeseries": {func() any {
		return &struct {
			Legend  grafanaLegend
			Tooltip grafanaTooltip
		}{}
	}, func() any {
		return &struct {
			DrawStyle, ShowPoints  string
			LineWidth, FillOpacity int
			SpanNulls              bool
			Stacking               struct{ Mode, Group string }
		}{}
	}},
	"state-timeline": {func() any {
		return &struct {
			ShowValue, AlignValue string
			RowHeight             float64
			MergeValues           bool
			Legend                grafanaLegend
			Tooltip               grafanaTooltip
		}{}
	}, func() any { return &struct{ LineWidth, FillOpacity int }{} }},
	"table": {func() any {
		return &struct {
			ShowHeader bool
			CellHeight string
			Footer     struct {
				Show, CountRows bool
				Reducer         []string
				Fields          string
			}
			SortBy []struct {
				DisplayName string
				Desc        bool
			}
		}{}
	}, func() any {
		return &struct {
			Align               string
			CellOptions         struct{ Type string }
			Filterable, Inspect bool
		}{}
	}},
	"heatmap": {func() any {
		return &struct {
			Calculate  bool
			CellGap    int
			CellValues struct{ Unit string }
			Color      struct {
				Mode, Scheme, Fill, Scale string
				Exponent                  float64
				Steps                     int
				Reverse                   bool
			}
			Exemplars    struct{ Color string }
			FilterValues struct{ LE float64 }
			Legend       struct{ Show bool }
			RowsFrame    struct{ Layout string }
			ShowValue    string
			Tooltip      struct {
				Mode             string
				Show, YHistogram bool
			}
			YAxis struct {
				AxisPlacement, Unit string
				Reverse             bool
			}
		}{}
	}, func() any {
		return &struct {
			ScaleDistribution struct{ Type string }
			HideFrom          grafanaHidden
		}{}
	}},
}
