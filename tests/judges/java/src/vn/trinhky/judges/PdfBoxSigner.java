package vn.trinhky.judges;

import com.fasterxml.jackson.databind.JsonNode;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSSecurityProvider;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Collection;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAttributeTableGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * PDFBox as somebody who signs, with a CMS by BouncyCastle: {@code "form": "pades"} is PAdES B-B (no signing time, the
 * certificate named by its digest), {@code "form": "pkcs7"} what programs wrote before there was PAdES.
 */
final class PdfBoxSigner {
    private PdfBoxSigner() {}

    static void sign(File file, JsonNode request) throws IOException {
        Keys signer = Keys.of(request.get("signer"));
        boolean pades = request.path("form").asText("pades").equals("pades");
        PDSignature signature = new PDSignature();
        signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
        signature.setSubFilter(pades ? PDSignature.SUBFILTER_ETSI_CADES_DETACHED : PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
        signature.setType(COSName.SIG);
        signature.setSignDate(Calendar.getInstance());
        try (PDDocument document = Loader.loadPDF(file);
                OutputStream out = new FileOutputStream(request.get("out").asText())) {
            document.addSignature(signature, content -> message(content, signer, pades, request.path("pss").asBoolean()));
            document.saveIncremental(out);
        }
    }

    private static byte[] message(InputStream content, Keys signer, boolean pades, boolean pss) throws IOException {
        try {
            ContentSigner value = new JcaContentSignerBuilder(signer.algorithm(pss).getJCEId())
                    .setProvider(DSSSecurityProvider.getSecurityProvider())
                    .build(signer.key());
            JcaSignerInfoGeneratorBuilder builder = new JcaSignerInfoGeneratorBuilder(
                    new JcaDigestCalculatorProviderBuilder().setProvider(DSSSecurityProvider.getSecurityProvider()).build());
            if (pades) {
                builder.setSignedAttributeGenerator(attributes(signer));
            }
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            X509CertificateHolder leaf = new X509CertificateHolder(signer.leaf().getEncoded());
            generator.addSignerInfoGenerator(builder.build(value, leaf));
            Collection<X509CertificateHolder> chain = new ArrayList<>();
            for (CertificateToken one : signer.chain()) {
                chain.add(new X509CertificateHolder(one.getEncoded()));
            }
            generator.addCertificates(new JcaCertStore(chain));
            return generator.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
        } catch (CMSException | OperatorCreationException | GeneralSecurityException trouble) {
            throw new IOException(trouble);
        }
    }

    private static CMSAttributeTableGenerator attributes(Keys signer) throws GeneralSecurityException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(signer.leaf().getEncoded());
        SigningCertificateV2 named = new SigningCertificateV2(new ESSCertIDv2(digest));
        ASN1EncodableVector more = new ASN1EncodableVector();
        more.add(new Attribute(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new DERSet(named)));
        CMSAttributeTableGenerator usual = new DefaultSignedAttributeTableGenerator(new AttributeTable(more));
        // EN 319 142-1, 6.3: signing-time shall not be there, /M says it.
        return parameters -> usual.getAttributes(parameters).remove(CMSAttributes.signingTime);
    }
}
