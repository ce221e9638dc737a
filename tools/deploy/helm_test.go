package deploy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what the chart makes of testdata/helm")

// chartDir is the chart's directory.
const chartDir = deploy + "/helm/errno-exporter"

func chartOf(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rendered is what `helm template RELEASE --namespace monitoring --values FILE` prints, a document each, sorted; without
// the notes. The error is that of the schema, or of a template.
func rendered(c *chart.Chart, release string, values map[string]any) ([][]byte, error) {
	options := chartutil.ReleaseOptions{Name: release, Namespace: "monitoring", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var documents [][]byte
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		for document := range strings.SplitSeq(text, "\n---\n") {
			if document = strings.TrimSpace(document); document != "" && document != "---" {
				documents = append(documents, []byte(strings.TrimPrefix(document, "---\n")))
			}
		}
	}
	slices.SortFunc(documents, bytes.Compare)
	return documents, nil
}

// valuesOf reads a file of values.
func valuesOf(t *testing.T, file string) map[string]any {
	t.Helper()
	values, err := chartutil.ReadValuesFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestHelmLint holds that helm lint --strict finds nothing, for each set of values.
func TestHelmLint(t *testing.T) {
	for _, file := range append(valueSets(t), "") {
		values := map[string]any{}
		if file != "" {
			values = valuesOf(t, file)
		}
		for _, message := range lint.All(chartDir, values, "monitoring", true).Messages {
			if message.Severity >= support.WarningSev {
				t.Errorf("%s: %s", file, message)
			}
		}
	}
}

func valueSets(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/helm/*.values.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v; want the sets of values", files, err)
	}
	return files
}

// TestHelmEqualsKustomize holds that the chart without values makes what deploy/kubernetes makes, but for the labels that
// Helm's charts have, and the hash in the name of the ConfigMap.
func TestHelmEqualsKustomize(t *testing.T) {
	documents, err := rendered(chartOf(t), "errno-exporter", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, want := decoded(t, documents), build(t, nil)
	for _, row := range []struct {
		name      string
		got, want any
	}{
		{"kinds", got.kinds, want.kinds}, {"deployment", got.deployment, want.deployment},
		{"service", got.service, want.service}, {"monitor", got.monitor, want.monitor},
		{"probe", got.probe, want.probe}, {"rules", got.rule, want.rule}, {"network policy", got.network, want.network},
		{"disruption budget", got.budget, want.budget}, {"exporter.yml", settings(t, got), settings(t, want)},
	} {
		if a, b := normal(t, row.got), normal(t, row.want); a != b {
			t.Errorf("%s: the chart makes\n%s\nand deploy/kubernetes\n%s", row.name, a, b)
		}
	}
}

// settings is the content of exporter.yml.
func settings(t *testing.T, b *built) any {
	t.Helper()
	var content any
	if err := yaml.Unmarshal([]byte(b.configMap.Data["exporter.yml"]), &content); err != nil || content == nil {
		t.Fatalf("%v, %v; want an exporter.yml", content, err)
	}
	return content
}

var (
	chartLabels = regexp.MustCompile(`(?m)^ *(helm\.sh/chart|app\.kubernetes\.io/(instance|version|managed-by)): .*\n`)
	mapHash     = regexp.MustCompile(`(?m)(name: errno-exporter)-[a-z0-9]{10}$`)
)

// normal is a value as YAML, without what may differ.
func normal(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(mapHash.ReplaceAll(chartLabels.ReplaceAll(text, nil), []byte("$1")))
}

// TestHelmValues checks what the chart makes of each set of values as it checks deploy/kubernetes, and compares it with
// the golden file: without the rules, which TestHelmEqualsKustomize compares, and without the content of dashboards.
func TestHelmValues(t *testing.T) {
	const image = "registry.example.com/errno_exporter"
	for name, want := range map[string]deployed{
		"kube-prometheus-stack": {Workload: "Deployment", Image: image + ":latest", Release: "kube-prometheus-stack"},
		"sharded": {Workload: "StatefulSet", Image: "ghcr.io/example/errno_exporter:0.1.0-dev", Service: "None",
			Shard: "$(POD_INDEX)/4"},
		"reset-capture": {Workload: "Deployment", Image: image + ":capture", Added: "NET_RAW"},
		"claim":         {Workload: "Deployment", Image: image + ":latest"},
		"bare":          {Workload: "Deployment", Image: image + "@sha256:" + strings.Repeat("0a", 32)},
	} {
		t.Run(name, func(t *testing.T) {
			documents, err := rendered(chartOf(t), "probes", valuesOf(t, "testdata/helm/"+name+".values.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			objects, dashboards := split(t, documents)
			b := decoded(t, objects)
			if got := b.deployed(); got != want {
				t.Errorf("deployed %+v, want %+v", got, want)
			}
			compareGolden(t, "testdata/helm/"+name+".golden.yaml", objects)
			if name == "bare" {
				return // nothing but the exporter and its service
			}
			checkSelectors(t, b)
			checkPods(t, b)
			checkStrategy(t, b)
			checkNetwork(t, b)
			compareDashboards(t, dashboards, name == "kube-prometheus-stack")
		})
	}
}

// split takes the dashboards out of documents.
func split(t *testing.T, documents [][]byte) (objects, dashboards [][]byte) {
	t.Helper()
	for _, d := range documents {
		if bytes.Contains(d, []byte("\nkind: ConfigMap\n")) && bytes.Contains(d, []byte("grafana_dashboard:")) {
			dashboards = append(dashboards, d)
		} else {
			objects = append(objects, d)
		}
	}
	return objects, dashboards
}

// compareDashboards compares the ConfigMaps' dashboards with those of monitoring/dashboards.
func compareDashboards(t *testing.T, documents [][]byte, wanted bool) {
	t.Helper()
	got := map[string]string{}
	for _, d := range documents {
		var m corev1.ConfigMap
		if err := yaml.UnmarshalStrict(d, &m); err != nil {
			t.Fatal(err)
		}
		for name, content := range m.Data {
			got[name] = content
		}
	}
	files, err := filepath.Glob(deploy + "/../monitoring/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v; want the dashboards", files, err)
	}
	if !wanted {
		files = nil
	}
	if len(got) != len(files) {
		t.Errorf("%d dashboards, want %d", len(got), len(files))
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(got[filepath.Base(file)]) != strings.TrimSpace(string(content)) {
			t.Errorf("%s: the chart's differs; run: go test ./deploy -update", file)
		}
	}
}

// compareGolden compares documents with a file.
func compareGolden(t *testing.T, file string, documents [][]byte) {
	t.Helper()
	var shown [][]byte
	for _, d := range documents {
		if !bytes.Contains(d, []byte("\nkind: PrometheusRule\n")) {
			shown = append(shown, d)
		}
	}
	got := append(bytes.Join(shown, []byte("\n---\n")), '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs: -update writes it; got\n%s", file, got)
	}
}

// TestHelmSchema holds that values which the chart cannot use are refused, with the key's place.
func TestHelmSchema(t *testing.T) {
	for _, row := range []struct{ values, want string }{
		{"shard: 3", "shard"},
		{"shards: 0", "/shards"},
		{"shards: two", "/shards"},
		{"image: {digest: sha256:12}", "/image/digest"},
		{"image: {pullPolicy: always}", "/image/pullPolicy"},
		{"secrets: [{name: token}]", "mountPath"},
		{"secrets: [{name: token, mountPath: etc/token}]", "/secrets/0/mountPath"},
		{"extraArgs: [-v]", "/extraArgs/0"},
		{"serviceMonitor: {interval: 30}", "/serviceMonitor/interval"},
		{"service: {port: 70000}", "/service/port"},
		{"goMemLimit: 256Mi", "/goMemLimit"},
		{"labels: {team: 7}", "/labels/team"},
	} {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(row.values), &values); err != nil {
			t.Fatal(err)
		}
		_, err := rendered(chartOf(t), "probes", values)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want an error with %s", row.values, err, row.want)
		}
	}
}
