package vn.trinhky.bench;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.Calendar;
import java.util.List;
import java.util.Map;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.COSFilterInputStream;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.ExternalSigningSupport;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureOptions;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.CMSTypedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** PDFBox with BouncyCastle for the CMS. It looks at digests and values alone, and it writes the whole file when it completes. */
final class PdfBox implements Timed.Peer {
    private static final String SHA256 = "2.16.840.1.101.3.4.2.1";

    private final Timed.Signer signer;

    PdfBox(Timed.Signer signer) {
        this.signer = signer;
    }

    @Override
    public Timed.Half prepare(File source, File out) throws Exception {
        PDDocument document = Loader.loadPDF(source);
        OutputStream written = new BufferedOutputStream(new FileOutputStream(out));
        PDSignature signature = new PDSignature();
        signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
        signature.setSubFilter(PDSignature.SUBFILTER_ETSI_CADES_DETACHED);
        signature.setSignDate(Calendar.getInstance());
        try (SignatureOptions options = new SignatureOptions()) {
            options.setPreferredSignatureSize(32 << 10);
            document.addSignature(signature, options);
        }
        ExternalSigningSupport external = document.saveIncrementalForExternalSigning(written);
        try (InputStream content = external.getContent()) {
            return new Prepared(document, written, external, digest(content));
        }
    }

    @Override
    public void verify(File signed) throws Exception {
        try (PDDocument document = Loader.loadPDF(signed)) {
            for (PDSignature signature : document.getSignatureDictionaries()) {
                try (InputStream file = new BufferedInputStream(new FileInputStream(signed));
                        InputStream covered = new COSFilterInputStream(file, signature.getByteRange())) {
                    check(signature.getContents(), digest(covered));
                }
            }
        }
    }

    private static byte[] digest(InputStream content) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[1 << 16];
        for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
            digest.update(buffer, 0, read);
        }
        return digest.digest();
    }

    private void check(byte[] cms, byte[] digest) throws Exception {
        var verifier = new JcaSimpleSignerInfoVerifierBuilder().build(signer.certificate());
        for (SignerInformation one : new CMSSignedData(Map.of(SHA256, digest), cms).getSignerInfos()) {
            if (!one.verify(verifier)) {
                throw new IllegalStateException("the signature does not verify");
            }
        }
    }

    private final class Prepared implements Timed.Half {
        private final PDDocument document;
        private final OutputStream written;
        private final ExternalSigningSupport external;
        private final byte[] digest;
        private byte[] cms;

        Prepared(PDDocument document, OutputStream written, ExternalSigningSupport external, byte[] digest) {
            this.document = document;
            this.written = written;
            this.external = external;
            this.digest = digest;
        }

        @Override
        public void sign() throws Exception {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            generator.addSignerInfoGenerator(
                    new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                            .build(new JcaContentSignerBuilder("SHA256withRSA").build(signer.key()), signer.certificate()));
            generator.addCertificates(new JcaCertStore(List.of(signer.certificate())));
            cms = generator.generate(new Content(external), false).getEncoded();
        }

        @Override
        public void complete() throws Exception {
            check(cms, digest);
            external.setSignature(cms);
            written.flush();
        }

        @Override
        public void close() throws IOException {
            document.close();
            written.close();
        }
    }

    /** What is to be signed, as BouncyCastle asks for it. */
    private record Content(ExternalSigningSupport external) implements CMSTypedData {
        @Override
        public ASN1ObjectIdentifier getContentType() {
            return CMSObjectIdentifiers.data;
        }

        @Override
        public void write(OutputStream out) throws IOException {
            try (InputStream content = external.getContent()) {
                content.transferTo(out);
            }
        }

        @Override
        public Object getContent() {
            return external;
        }
    }
}
