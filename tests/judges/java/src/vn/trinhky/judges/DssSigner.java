package vn.trinhky.judges;

import com.fasterxml.jackson.databind.JsonNode;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.DSSSecurityProvider;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import java.io.File;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.Signature;

/** EU DSS as somebody who signs: PAdES of any baseline level, time stamps by an authority whose key is at hand. */
final class DssSigner {
    private DssSigner() {}

    static void sign(File file, JsonNode request) throws IOException, GeneralSecurityException {
        Keys signer = Keys.of(request.get("signer"));
        SignatureAlgorithm algorithm = signer.algorithm(request.path("pss").asBoolean());
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.valueByName(request.get("level").asText()));
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(signer.leaf());
        parameters.setCertificateChain(signer.chain());
        parameters.setEncryptionAlgorithm(algorithm.getEncryptionAlgorithm());
        PAdESService service = new PAdESService(Signatures.offline(request));
        if (request.has("stamper")) {
            Keys stamper = Keys.of(request.get("stamper"));
            KeyEntityTSPSource stamps = new KeyEntityTSPSource(stamper.key(), stamper.leaf(), stamper.chain());
            stamps.setTsaPolicy("1.2.3.4");
            service.setTspSource(stamps);
        }
        DSSDocument document = new FileDocument(file);
        Signature engine = Signature.getInstance(algorithm.getJCEId(), DSSSecurityProvider.getSecurityProvider());
        engine.initSign(signer.key());
        engine.update(service.getDataToSign(document, parameters).getBytes());
        service.signDocument(document, parameters, new SignatureValue(algorithm, engine.sign())).save(request.get("out").asText());
    }
}
