// Command goclient is an application with Go's transport: goclient NAME=URL=PLAN…
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	var jobs sync.WaitGroup
	for _, job := range os.Args[1:] {
		jobs.Go(func() { run(strings.Split(job, "=")) })
	}
	jobs.Wait()
}

func run(job []string) {
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	var leaked []*http.Response
	for step := range strings.SplitSeq(job[2], ",") {
		kind := step[0]
		count, err := strconv.Atoi(step[1:])
		if err != nil {
			count = 1
		}
		switch kind {
		case 'w':
			time.Sleep(time.Duration(count) * time.Millisecond)
			continue
		case 'C': // all at once
			var calls sync.WaitGroup
			for range count {
				calls.Go(func() { call(client, job, "P") })
			}
			calls.Wait()
			continue
		}
		for range count {
			if answer := call(client, job, step); answer != nil && kind == 'L' {
				leaked = append(leaked, answer)
			}
		}
	}
}

func call(client *http.Client, job []string, step string) *http.Response {
	answer, err := client.Post(job[1], "text/plain", strings.NewReader("0123456789"))
	if err != nil {
		fmt.Println(job[0], step, err)
		return nil
	}
	switch step[0] {
	case 'P':
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	case 'U':
		time.Sleep(300 * time.Millisecond) // until more has arrived than is read
		_ = answer.Body.Close()
	}
	if err != nil {
		fmt.Println(job[0], step, err)
		return nil
	}
	fmt.Println(job[0], step, answer.StatusCode)
	return answer
}
