package vn.trinhky.bench;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;

/**
 * {@code Timed PEER FILE.pdf SIGNED_FOLDER KEY.pem CERT.pem RUNS}: PDFBox or EU DSS doing what the benchmarks measure,
 * timed inside the process in processor time, warmed up on a page of its own.
 *
 * <p>Prints a line of JSON when an operation begins, {@code {"operation": …}}, and when it is done, with {@code "ms"} and
 * {@code "peak_kb"}, as {@code peer.py} does. Start of the JVM, loading of classes and compilation are not counted.
 */
public final class Timed {
    /** Rounds on the page of its own: what the compiler finds worth compiling is compiled by then. */
    private static final int WARM_UP = 30;
    /** Beyond this, one measurement has to do. */
    private static final double LONG_MS = 5000;

    private static final String[] VERIFIED = {"verify", "verify-two", "verify-five"};

    /** A library that signs in two halves and verifies. */
    interface Peer {
        /** Opens {@code source}, appends a signature revision and digests it. */
        Half prepare(File source, File out) throws Exception;

        /** Opens {@code signed} and verifies every signature in it. */
        void verify(File signed) throws Exception;
    }

    /** A prepared revision. */
    interface Half extends AutoCloseable {
        /** The signature from outside; not measured. */
        void sign() throws Exception;

        /** Checks the signature and puts it into its place. */
        void complete() throws Exception;

        @Override
        void close() throws IOException;
    }

    /** The signer. */
    record Signer(PrivateKey key, X509Certificate certificate) {
        static Signer load(Path key, Path certificate) throws Exception {
            String pem = Files.readString(key).replaceAll("-----[A-Z ]+-----|\\s", "");
            var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
            try (var in = Files.newInputStream(certificate)) {
                var read = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
                return new Signer(KeyFactory.getInstance("RSA").generatePrivate(spec), read);
            }
        }
    }

    private Timed() {}

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        File source = new File(arguments[1]);
        File signed = new File(arguments[2]);
        Signer signer = Signer.load(Path.of(arguments[3]), Path.of(arguments[4]));
        int runs = Integer.parseInt(arguments[5]);
        Peer peer = switch (arguments[0]) {
            case "pdfbox" -> new PdfBox(signer);
            case "dss" -> new Dss(signer);
            default -> throw new IllegalArgumentException(arguments[0]);
        };
        File out = File.createTempFile("timed", ".pdf");
        out.deleteOnExit();
        warmUp(peer, out);
        for (int run = 0; run < runs; run++) {
            say("prepare");
            long began = processorTime();
            try (Half half = peer.prepare(source, out)) {
                double prepared = since(began);
                say("prepare", prepared);
                half.sign();
                began = processorTime();
                half.complete();
                double completed = since(began);
                say("complete", completed);
                if (prepared + completed > LONG_MS) {
                    break;
                }
            }
        }
        for (String operation : VERIFIED) {
            double took = 0;
            for (int run = 0; run < runs && took <= LONG_MS; run++) {
                say(operation);
                long began = processorTime();
                peer.verify(new File(signed, operation + ".pdf"));
                took = since(began);
                say(operation, took);
            }
        }
    }

    private static void warmUp(Peer peer, File out) throws Exception {
        File page = File.createTempFile("page", ".pdf");
        page.deleteOnExit();
        try (PDDocument document = new PDDocument()) {
            document.addPage(new PDPage());
            var bytes = new ByteArrayOutputStream();
            document.save(bytes);
            Files.write(page.toPath(), bytes.toByteArray());
        }
        for (int round = 0; round < WARM_UP; round++) {
            try (Half half = peer.prepare(page, out)) {
                half.sign();
                half.complete();
            }
            peer.verify(out);
        }
    }

    /** Of this thread: collecting garbage and compiling happen beside it. */
    private static long processorTime() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static double since(long began) {
        return (processorTime() - began) / 1e6;
    }

    private static void say(String operation) {
        System.out.printf("{\"operation\": \"%s\"}%n", operation);
        System.out.flush();
    }

    private static void say(String operation, double ms) throws IOException {
        String peak = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .map(line -> line.replaceAll("\\D", ""))
                .findFirst()
                .orElse("0");
        System.out.printf("{\"operation\": \"%s\", \"ms\": %s, \"peak_kb\": %s}%n", operation, ms, peak);
        System.out.flush();
    }
}
