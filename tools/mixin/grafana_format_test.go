package mixin

// The format of Grafana's file provisioning: what its documentation has for the releases from 10.4 to 13, and of each
// object the fields that we use. A field of any other name is an error, as Grafana would leave it out without a word.
// https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/

type alertingFile struct {
	APIVersion    int            `json:"apiVersion" yaml:"apiVersion"`
	Groups        []alertGroup   `json:"groups" yaml:"groups,omitempty"`
	ContactPoints []contactPoint `json:"contactPoints" yaml:"contactPoints,omitempty"`
	Policies      []policy       `json:"policies" yaml:"policies,omitempty"`
	MuteTimes     []muteTime     `json:"muteTimes" yaml:"muteTimes,omitempty"`
	Templates     []template     `json:"templates" yaml:"templates,omitempty"`
}

type alertGroup struct {
	OrgID    int         `json:"orgId" yaml:"orgId"`
	Name     string      `json:"name" yaml:"name"`
	Folder   string      `json:"folder" yaml:"folder"`
	Interval string      `json:"interval" yaml:"interval"`
	Rules    []alertRule `json:"rules" yaml:"rules"`
}

// alertRule has two fields that releases before 12 do not read, and do not refuse: keepFiringFor and
// missing_series_evals_to_resolve.
type alertRule struct {
	UID           string            `json:"uid" yaml:"uid"`
	Title         string            `json:"title" yaml:"title"`
	Condition     string            `json:"condition" yaml:"condition"`
	Data          []query           `json:"data" yaml:"data"`
	DashboardUID  string            `json:"dashboardUid" yaml:"dashboardUid"`
	PanelID       int               `json:"panelId" yaml:"panelId"`
	NoDataState   string            `json:"noDataState" yaml:"noDataState"`
	ExecErrState  string            `json:"execErrState" yaml:"execErrState"`
	For           string            `json:"for" yaml:"for"`
	KeepFiringFor string            `json:"keepFiringFor" yaml:"keepFiringFor"`
	MissingSeries int               `json:"missing_series_evals_to_resolve" yaml:"missing_series_evals_to_resolve"`
	Labels        map[string]string `json:"labels" yaml:"labels"`
	Annotations   map[string]string `json:"annotations" yaml:"annotations"`
}

type query struct {
	RefID             string `json:"refId" yaml:"refId"`
	RelativeTimeRange struct {
		From int `json:"from" yaml:"from"`
		To   int `json:"to" yaml:"to"`
	} `json:"relativeTimeRange" yaml:"relativeTimeRange"`
	DatasourceUID string `json:"datasourceUid" yaml:"datasourceUid"`
	Model         model  `json:"model" yaml:"model"`
}

// model is a query of the Prometheus data source, or an expression.
type model struct {
	RefID      string `json:"refId" yaml:"refId"`
	Datasource struct {
		Type string `json:"type" yaml:"type"`
		UID  string `json:"uid" yaml:"uid"`
	} `json:"datasource" yaml:"datasource"`
	EditorMode    string `json:"editorMode" yaml:"editorMode,omitempty"`
	Expr          string `json:"expr" yaml:"expr,omitempty"`
	Instant       *bool  `json:"instant" yaml:"instant,omitempty"`
	Range         *bool  `json:"range" yaml:"range,omitempty"`
	Type          string `json:"type" yaml:"type,omitempty"`
	Expression    string `json:"expression" yaml:"expression,omitempty"`
	IntervalMS    int    `json:"intervalMs" yaml:"intervalMs"`
	MaxDataPoints int    `json:"maxDataPoints" yaml:"maxDataPoints"`
}

type contactPoint struct {
	OrgID     int        `json:"orgId" yaml:"orgId"`
	Name      string     `json:"name" yaml:"name"`
	Receivers []receiver `json:"receivers" yaml:"receivers"`
}

type receiver struct {
	UID                   string         `json:"uid" yaml:"uid"`
	Type                  string         `json:"type" yaml:"type"`
	Settings              map[string]any `json:"settings" yaml:"settings"`
	DisableResolveMessage bool           `json:"disableResolveMessage" yaml:"disableResolveMessage,omitempty"`
}

// settings are the documented settings of the integrations that we use; the value is whether one is required. Of
// Slack's, url stands for recipient and token.
var settings = map[string]map[string]bool{
	"webhook": {"url": true, "httpMethod": false, "username": false, "password": false, "authorization_scheme": false,
		"authorization_credentials": false, "maxAlerts": false, "title": false, "message": false},
	"slack": {"url": true, "recipient": false, "token": false, "endpointUrl": false, "username": false,
		"icon_emoji": false, "icon_url": false, "mentionUsers": false, "mentionGroups": false, "mentionChannel": false,
		"title": false, "text": false},
	"pagerduty": {"integrationKey": true, "severity": false, "class": false, "component": false, "group": false,
		"summary": false, "source": false, "client": false, "client_url": false},
	"email": {"addresses": true, "singleEmail": false, "subject": false, "message": false},
}

// policy is the root or a route; only the root has an organisation.
type policy struct {
	OrgID             int        `json:"orgId" yaml:"orgId,omitempty"`
	Receiver          string     `json:"receiver" yaml:"receiver"`
	GroupBy           []string   `json:"group_by" yaml:"group_by,omitempty,flow"`
	ObjectMatchers    [][]string `json:"object_matchers" yaml:"object_matchers,omitempty,flow"`
	MuteTimeIntervals []string   `json:"mute_time_intervals" yaml:"mute_time_intervals,omitempty,flow"`
	Continue          bool       `json:"continue" yaml:"continue,omitempty"`
	GroupWait         string     `json:"group_wait" yaml:"group_wait,omitempty"`
	GroupInterval     string     `json:"group_interval" yaml:"group_interval,omitempty"`
	RepeatInterval    string     `json:"repeat_interval" yaml:"repeat_interval,omitempty"`
	Routes            []policy   `json:"routes" yaml:"routes,omitempty"`
}

type muteTime struct {
	OrgID         int    `json:"orgId" yaml:"orgId"`
	Name          string `json:"name" yaml:"name"`
	TimeIntervals []struct {
		Weekdays []string `json:"weekdays" yaml:"weekdays,omitempty,flow"`
		Location string   `json:"location" yaml:"location,omitempty"`
	} `json:"time_intervals" yaml:"time_intervals"`
}

type template struct {
	OrgID    int    `json:"orgId" yaml:"orgId"`
	Name     string `json:"name" yaml:"name"`
	Template string `json:"template" yaml:"template"`
}
