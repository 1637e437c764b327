package vn.trinhky.judges;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.enumerations.SubIndication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.revocation.ocsp.ExternalResourcesOCSPSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.util.ArrayList;
import java.util.List;

/**
 * EU DSS with its default policy: indication, sub-indication and level of every signature, and of every time stamp.
 *
 * <p>Trust anchors are those of the request alone; revocation data come from the document and from the request's files.
 */
final class Signatures {
    private Signatures() {}

    static void judge(File file, JsonNode request, ObjectNode said) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
        validator.setCertificateVerifier(offline(request));
        Reports reports = validator.validateDocument();
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData data = reports.getDiagnosticData();
        ArrayNode signatures = said.putArray("signatures");
        for (String id : simple.getSignatureIdList()) {
            SignatureWrapper signature = data.getSignatureById(id);
            ObjectNode one = signatures.addObject();
            one.put("field", signature.getFirstFieldName());
            one.put("level", String.valueOf(simple.getSignatureFormat(id)));
            verdict(simple, id, one);
        }
        ArrayNode stamps = said.putArray("timestamps");
        for (TimestampWrapper stamp : data.getTimestampList()) {
            ObjectNode one = stamps.addObject();
            one.put("type", String.valueOf(stamp.getType()));
            verdict(simple, stamp.getId(), one);
        }
    }

    private static void verdict(SimpleReport simple, String id, ObjectNode one) {
        SubIndication sub = simple.getSubIndication(id);
        one.put("indication", String.valueOf(simple.getIndication(id)));
        one.put("sub_indication", sub == null ? null : sub.toString());
        messages(simple.getAdESValidationErrors(id), one.putArray("errors"));
        messages(simple.getAdESValidationWarnings(id), one.putArray("warnings"));
    }

    private static void messages(List<Message> messages, ArrayNode into) {
        messages.forEach(message -> into.add(message.getValue()));
    }

    /** Believes the request's anchors, and knows its revocation data. */
    static CommonCertificateVerifier offline(JsonNode request) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        for (JsonNode path : request.path("trust")) {
            for (CertificateToken anchor : DSSUtils.loadCertificateFromP7c(new FileDocument(path.asText()).openStream())) {
                anchors.addCertificate(anchor);
            }
        }
        verifier.setTrustedCertSources(anchors);
        verifier.setCrlSource(new ExternalResourcesCRLSource(files(request.path("crls"))));
        verifier.setOcspSource(new ExternalResourcesOCSPSource(files(request.path("ocsps"))));
        return verifier;
    }

    private static DSSDocument[] files(JsonNode paths) {
        List<DSSDocument> files = new ArrayList<>();
        paths.forEach(path -> files.add(new FileDocument(path.asText())));
        return files.toArray(DSSDocument[]::new);
    }
}
