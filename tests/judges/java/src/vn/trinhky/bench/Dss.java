package vn.trinhky.bench;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;
import java.security.Signature;

/** EU DSS as its documentation says: data to sign, the value from outside, the signed document; validation by its default policy. */
final class Dss implements Timed.Peer {
    private final Timed.Signer signer;
    private final CertificateToken certificate;

    Dss(Timed.Signer signer) {
        this.signer = signer;
        this.certificate = new CertificateToken(signer.certificate());
    }

    @Override
    public Timed.Half prepare(File source, File out) {
        PAdESService service = new PAdESService(verifier());
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(certificate);
        parameters.setCertificateChain(certificate);
        parameters.setContentSize(32 << 10);
        DSSDocument document = new FileDocument(source);
        ToBeSigned toBeSigned = service.getDataToSign(document, parameters);
        return new Prepared(service, document, parameters, toBeSigned, out);
    }

    @Override
    public void verify(File signed) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(signed));
        validator.setCertificateVerifier(verifier());
        var simple = validator.validateDocument().getSimpleReport();
        if (simple.getSignaturesCount() == 0) {
            throw new IllegalStateException("no signature found");
        }
    }

    private CommonCertificateVerifier verifier() {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        anchors.addCertificate(certificate);
        verifier.setTrustedCertSources(anchors);
        return verifier;
    }

    private final class Prepared implements Timed.Half {
        private final PAdESService service;
        private final DSSDocument document;
        private final PAdESSignatureParameters parameters;
        private final ToBeSigned toBeSigned;
        private final File out;
        private SignatureValue value;

        Prepared(
                PAdESService service,
                DSSDocument document,
                PAdESSignatureParameters parameters,
                ToBeSigned toBeSigned,
                File out) {
            this.service = service;
            this.document = document;
            this.parameters = parameters;
            this.toBeSigned = toBeSigned;
            this.out = out;
        }

        @Override
        public void sign() throws Exception {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(signer.key());
            signature.update(toBeSigned.getBytes());
            value = new SignatureValue(SignatureAlgorithm.RSA_SHA256, signature.sign());
        }

        @Override
        public void complete() throws Exception {
            if (!service.isValidSignatureValue(toBeSigned, value, certificate)) {
                throw new IllegalStateException("the signature does not verify");
            }
            service.signDocument(document, parameters, value).save(out.getPath());
        }

        @Override
        public void close() {
            // Nothing is held open.
        }
    }
}
