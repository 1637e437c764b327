package vn.trinhky.judges;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Asks EU DSS, veraPDF and PDFBox Preflight about many files in one process, since a JVM costs more to start than to ask.
 *
 * <p>One JSON object a line on standard input, {@code {"id", "file", "trust": [PEM…], "crls": [DER…], "ocsps": [DER…],
 * "ask": ["dss", "verapdf:2a", "verapdf:ua1", "preflight"]}}, one a line on standard output, {@code {"id", "dss": …,
 * "verapdf:2a": …, …}}, in no particular order. What a judge throws stands as {@code {"error": …}} under its name. No
 * judge here uses the network.
 *
 * <p>The same libraries sign, too, so that our verifier has something to judge: {@code "ask": ["sign:dss"]} and
 * {@code ["sign:pdfbox"]} write {@code "out"}, with {@code "signer": {"key", "chain"}}, {@code "pss"}, and for DSS
 * {@code "level"} and {@code "stamper": {"key", "chain"}}.
 */
public final class Judges {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Judges() {}

    /** Reads requests until the end of standard input. An argument, if any, is the number of threads. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        // The judges print remarks of their own; standard output belongs to the answers.
        PrintStream answers = System.out;
        System.setOut(System.err);
        int threads = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try (BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = requests.readLine(); line != null; line = requests.readLine()) {
                JsonNode request = JSON.readTree(line);
                pool.execute(() -> {
                    byte[] answer = answer(request).toString().concat("\n").getBytes(StandardCharsets.UTF_8);
                    synchronized (answers) {
                        answers.write(answer, 0, answer.length);
                        answers.flush();
                    }
                });
            }
        }
        pool.shutdown();
        pool.awaitTermination(1, TimeUnit.HOURS);
    }

    private static ObjectNode answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        answer.set("id", request.get("id"));
        for (JsonNode asked : request.get("ask")) {
            String judge = asked.asText();
            long began = System.nanoTime();
            ObjectNode said = ask(judge, request);
            said.put("ms", (System.nanoTime() - began) / 1_000_000);
            answer.set(judge, said);
        }
        return answer;
    }

    private static ObjectNode ask(String judge, JsonNode request) {
        ObjectNode said = JSON.createObjectNode();
        File file = new File(request.get("file").asText());
        try {
            if (judge.equals("dss")) {
                Signatures.judge(file, request, said);
            } else if (judge.equals("preflight")) {
                Preflight.judge(file, said);
            } else if (judge.startsWith("verapdf:")) {
                Conformance.judge(file, judge.substring("verapdf:".length()), said);
            } else if (judge.equals("sign:dss")) {
                DssSigner.sign(file, request);
            } else if (judge.equals("sign:pdfbox")) {
                PdfBoxSigner.sign(file, request);
            } else {
                said.put("error", "no such judge");
            }
        } catch (Exception | StackOverflowError trouble) {
            said.put("error", trouble.toString());
        }
        return said;
    }
}
