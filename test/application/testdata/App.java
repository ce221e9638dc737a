import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/** An application with Java's HttpClient: java App.java NAME=URL=PLAN… */
class App {
    public static void main(String[] jobs) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (String job : jobs) {
            Thread thread = new Thread(() -> run(job.split("=")));
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.exit(0);
    }

    static void run(String[] job) {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        List<Object> leaked = new ArrayList<>();
        for (String step : job[2].split(",")) {
            char kind = step.charAt(0);
            int count = step.length() > 1 ? Integer.parseInt(step.substring(1)) : 1;
            for (int i = 0; i < count; i++) {
                if (kind == 'w') {
                    try {
                        Thread.sleep(count);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    break;
                }
                System.out.println(job[0] + " " + step + " " + call(client, job[1], kind, leaked));
            }
        }
    }

    static String call(HttpClient client, String url, char kind, List<Object> leaked) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .POST(HttpRequest.BodyPublishers.ofString("0123456789")).build();
        try {
            if (kind == 'P') {
                return "" + client.send(request, HttpResponse.BodyHandlers.ofByteArray()).statusCode();
            }
            HttpResponse<InputStream> answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            if (kind == 'U') {
                Thread.sleep(300); // until more has arrived than is read
                answer.body().close();
            } else {
                leaked.add(answer);
            }
            return "" + answer.statusCode();
        } catch (Exception e) {
            return e + (e.getCause() == null ? "" : ": " + e.getCause());
        }
    }
}
