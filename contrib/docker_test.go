package contrib_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"assay/config"
)

// TestDocker: the image is built with the Go that go.mod asks for, and what
// compose.yaml names is there and fits together. Neither is run here.
func TestDocker(t *testing.T) {
	wanted := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))
	image := regexp.MustCompile(`(?m)^FROM golang:(1\.\d+)-\S+ AS build$`).FindStringSubmatch(read(t, "docker/Dockerfile"))
	if wanted == nil || image == nil || wanted[1] != image[1] {
		t.Errorf("go.mod asks for Go %q, the image has %q", wanted, image)
	}

	var compose struct {
		Services map[string]struct {
			Build struct {
				Context    string
				Dockerfile string
			}
			Volumes []string
			Stop    time.Duration `yaml:"stop_grace_period"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "docker/compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	s := compose.Services["assay"]
	if _, err := os.Stat(filepath.Join("docker", s.Build.Context, s.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	if len(s.Volumes) != 1 || s.Volumes[0] != "./assay.toml:/etc/assay/assay.toml:ro" {
		t.Errorf("volumes %q", s.Volumes)
	}
	c, err := config.Load("docker/assay.toml", "mx.example.net")
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen.Drain >= s.Stop {
		t.Errorf("a stop may take %v, and is given %v", c.Listen.Drain, s.Stop)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
