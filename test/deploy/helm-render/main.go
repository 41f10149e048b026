// Renders the chart as Helm does, with Helm's own template engine (Go's text/template and sprig), for machines without
// Helm. It knows what the chart uses and no more: no dependencies, no hooks, and `lookup` finds nothing, as in
// `helm template`.
//
// Usage: helm-render CHART < cases.json > rendered.json, where cases is {name: values} and rendered {name: text}.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"gopkg.in/yaml.v3"
)

type values = map[string]interface{}

// Files are those beside the templates, as `.Files` sees them.
type Files map[string][]byte

func (f Files) Get(path string) string { return string(f[path]) }

func (f Files) Glob(pattern string) Files {
	found := Files{}
	for path, content := range f {
		if ok, _ := filepath.Match(pattern, path); ok {
			found[path] = content
		}
	}
	return found
}

func main() {
	chart := os.Args[1]
	var cases map[string]values
	check(json.NewDecoder(os.Stdin).Decode(&cases))
	rendered := map[string]string{}
	for name, changes := range cases {
		text, err := render(chart, changes)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		rendered[name] = text
	}
	check(json.NewEncoder(os.Stdout).Encode(rendered))
}

func render(chart string, changes values) (string, error) {
	described := readYaml(filepath.Join(chart, "Chart.yaml"))
	context := values{
		"Values":  merged(readYaml(filepath.Join(chart, "values.yaml")), changes),
		"Chart":   values{"Name": described["name"], "Version": described["version"], "AppVersion": described["appVersion"]},
		"Release": values{"Name": "demo", "Namespace": "lab", "Service": "Helm", "IsInstall": true, "IsUpgrade": false},
		"Files":   filesOf(chart),
	}
	// Helm: a value that is missing is an empty one.
	all := template.New("chart").Option("missingkey=zero")
	all.Funcs(sprig.TxtFuncMap()).Funcs(helmFunctions(all))
	paths, _ := filepath.Glob(filepath.Join(chart, "templates", "*"))
	sort.Strings(paths)
	for _, path := range paths {
		if _, err := all.New(filepath.Base(path)).Parse(string(read(path))); err != nil {
			return "", err
		}
	}
	var out bytes.Buffer
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") || name == "NOTES.txt" {
			continue
		}
		out.WriteString("\n---\n")
		if err := all.ExecuteTemplate(&out, name, context); err != nil {
			return "", err
		}
	}
	var notes bytes.Buffer
	if err := all.ExecuteTemplate(&notes, "NOTES.txt", context); err != nil {
		return "", err
	}
	return strings.ReplaceAll(out.String(), "<no value>", ""), nil
}

func helmFunctions(all *template.Template) template.FuncMap {
	return template.FuncMap{
		"include": func(name string, data interface{}) (string, error) {
			var out bytes.Buffer
			err := all.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"toYaml": func(value interface{}) (string, error) {
			var out bytes.Buffer
			encoder := yaml.NewEncoder(&out)
			encoder.SetIndent(2)
			err := encoder.Encode(value)
			return strings.TrimSuffix(out.String(), "\n"), err
		},
		"fromYaml": func(text string) (values, error) {
			var value values
			return value, yaml.Unmarshal([]byte(text), &value)
		},
		"lookup": func(version, kind, namespace, name string) values { return values{} },
	}
}

// merged lays changes over defaults, maps by key, all else whole.
func merged(defaults, changes values) values {
	result := values{}
	for key, value := range defaults {
		result[key] = value
	}
	for key, value := range changes {
		below, isMap := value.(values)
		if old, wasMap := result[key].(values); isMap && wasMap {
			result[key] = merged(old, below)
		} else {
			result[key] = value
		}
	}
	return result
}

func filesOf(chart string) Files {
	files := Files{}
	folders, _ := filepath.Glob(filepath.Join(chart, "files", "*"))
	for _, folder := range folders {
		paths, _ := filepath.Glob(filepath.Join(folder, "*"))
		for _, path := range paths {
			relative, _ := filepath.Rel(chart, path)
			files[relative] = read(path)
		}
	}
	return files
}

func readYaml(path string) values {
	var value values
	check(yaml.Unmarshal(read(path), &value))
	return value
}

func read(path string) []byte {
	content, err := os.ReadFile(path)
	check(err)
	return content
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
