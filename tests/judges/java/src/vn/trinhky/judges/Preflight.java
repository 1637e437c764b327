package vn.trinhky.judges;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import org.apache.pdfbox.preflight.ValidationResult;
import org.apache.pdfbox.preflight.parser.PreflightParser;

/** PDFBox Preflight: PDF/A-1b, by a codebase that shares nothing with veraPDF. */
final class Preflight {
    private Preflight() {}

    static void judge(File file, ObjectNode said) throws IOException {
        ValidationResult result = PreflightParser.validate(file);
        said.put("compliant", result.isValid());
        ArrayNode problems = said.putArray("problems");
        result.getErrorsList().stream()
                .map(error -> error.getErrorCode() + ": " + error.getDetails())
                .distinct()
                .limit(20)
                .forEach(problems::add);
    }
}
